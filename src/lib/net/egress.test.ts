import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, parseAddress } from './address.ts';
import { egressRule, readHost } from './egress.ts';

const address = (text: string): Uint8Array => parseAddress(text) ?? assert.fail(text);

/** `127.0.0.1!`: not plain. */
function read(text: string): string {
  const host = readHost(text);
  return host.kind === 'address' ? `${formatAddress(host.bytes)}${host.isPlain ? '' : '!'}` : host.kind;
}

const SPELLINGS: Readonly<Record<string, string>> = {
  '127.0.0.1': '127.0.0.1',
  '::1': '::1',
  '0x7f000001': '127.0.0.1!',
  '0X7F.0x0.0x0.0x1': '127.0.0.1!',
  '017700000001': '127.0.0.1!',
  '2130706433': '127.0.0.1!',
  '127.1': '127.0.0.1!',
  '127.0.1': '127.0.0.1!',
  '0x7f.0.0.1': '127.0.0.1!',
  '010.0.0.1': '8.0.0.1!',
  '127.0.0.1.': '127.0.0.1!',
  '0x000000000000000007f000001': '127.0.0.1!',
  '0b1111111.1': '127.0.0.1!',
  '0': '0.0.0.0!',
  '[::1]': '::1!',
  'fe80::1%eth0': 'fe80::1!',
  '[fe80::1%25eth0]': 'fe80::1!',
  '4294967296': 'neither',
  '1.2.3.4.5': 'neither',
  '256.1': 'neither',
  '1.2.3.256': 'neither',
  '08.0.0.1': 'neither',
  'a.0x7f': 'neither',
  'a.0x': 'neither',
  '1..2': 'neither',
  '': 'neither',
  '.': 'neither',
  ' 127.0.0.1': 'neither',
  '１２７.0.0.1': 'neither',
  '0x7f.example': 'name',
  localhost: 'name',
  '1.example.': 'name',
};

test('a text is the address that any resolver would take it for, a name, or neither', () => {
  for (const [text, is] of Object.entries(SPELLINGS)) assert.equal(read(text), is, text);
});

test('an address is refused by what is inside it, too, and where no host can be meant', () => {
  const rule = egressRule(['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254', 'private']);
  const refused = (text: string): string | undefined => rule(address(text));
  const policy = [
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '::169.254.169.254',
    '::ffff:0:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::a9fe:a9fe',
    '64:ff9b:1:a9fe:a9:fe00::',
    '64:ff9b:1:a9:fe:a9fe::',
    '64:ff9b:1:0:a9:fea9:fe00::',
    '2002:a9fe:a9fe::1',
    '2001:0:a9fe:a9fe::1',
    '2001:0:4136:e378:8000:63bf:5601:5601',
    '2001:db8::5efe:169.254.169.254',
    '2001:db8::200:5efe:169.254.169.254',
    'fd00:ec2::254',
    '::1',
    '127.0.0.1',
    '64:ff9b::10.0.0.1',
  ];
  for (const text of policy) assert.equal(refused(text), 'policy', text);
  const none = ['0.0.0.0', '::', '0.1.2.3', '224.0.0.1', '255.255.255.255', 'ff02::1', '::ffff:0.0.0.0', '::224.0.0.1'];
  for (const text of [...none, '64:ff9b::255.255.255.255', '2002:e000:1::'])
    assert.equal(refused(text), 'no host', text);
  const fine = ['198.51.100.1', '2001:db8::1', '64:ff9b::198.51.100.1', '2002:c633:6401::1', '64:ff9b:1::c633:6401'];
  for (const text of fine) assert.equal(refused(text), undefined, text);
});

test('without a policy loopback is a host like any other', () => {
  const rule = egressRule([]);
  assert.deepEqual(
    ['::1', '127.0.0.1', '::ffff:127.0.0.1'].map((text) => rule(address(text))),
    [undefined, undefined, undefined],
  );
});
