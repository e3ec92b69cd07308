import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type Answer, createSystemLookup, type Family } from './lookup.ts';

test('localhost resolves without any DNS server; what does not exist rejects', async () => {
  const lookup = createSystemLookup();
  const { addresses, ttlSeconds } = await lookup('localhost');
  assert.ok(
    addresses.some((address) => address === '127.0.0.1' || address === '::1'),
    addresses.join(),
  );
  assert.ok(ttlSeconds > 0);
  await assert.rejects(lookup('no-such-origin.invalid'));
});

/** An address and its TTL, or an error's code. */
type Said = readonly [address: string, ttl: number] | string;

function say(said: Said): Promise<{ address: string; ttl: number }[]> {
  if (typeof said === 'string') return Promise.reject(Object.assign(new Error(`query ${said}`), { code: said }));
  return Promise.resolve([{ address: said[0], ttl: said[1] }]);
}

function asked(dns: readonly [Said, Said], host: readonly [Said, Said] = ['ENOTFOUND', 'ENOTFOUND']): Promise<Answer> {
  const resolver = { resolve4: () => say(dns[0]), resolve6: () => say(dns[1]) };
  const lookup = createSystemLookup({
    // Only what is used here of the two.
    resolver: () => resolver as never,
    host: (_, { family }: { family: Family }) => say(host[family === 4 ? 0 : 1]),
  });
  return lookup('a.example');
}

test('F2: a family that failed is told apart from one without addresses, in DNS and on the host', async () => {
  const [v4, v6] = [
    ['198.51.100.1', 60],
    ['2001:db8::1', 30],
  ] as const;
  assert.deepEqual(await asked([v4, v6]), { addresses: [v4[0], v6[0]], ttlSeconds: 30, failed: [] });
  assert.deepEqual(await asked([v4, 'ENODATA']), { addresses: [v4[0]], ttlSeconds: 60, failed: [] });
  assert.deepEqual(await asked(['ENOTFOUND', v6]), { addresses: [v6[0]], ttlSeconds: 30, failed: [] });
  for (const code of ['ESERVFAIL', 'ETIMEOUT', 'EREFUSED', 'ECONNREFUSED', 'EBADRESP'])
    assert.deepEqual(await asked([code, v6]), { addresses: [v6[0]], ttlSeconds: 30, failed: [4] }, code);
  // The host's own names: of what DNS could not say it may know no more than that there is nothing.
  const none = 'ENOTFOUND';
  assert.deepEqual(await asked([none, none], [v4, none]), { addresses: [v4[0]], ttlSeconds: 10, failed: [] });
  assert.deepEqual(await asked([none, none], [v4, 'EAI_AGAIN']), { addresses: [v4[0]], ttlSeconds: 10, failed: [6] });
  assert.deepEqual((await asked(['ESERVFAIL', 'ENODATA'], [none, none])).failed, [4]);
  await assert.rejects(asked([none, none]), /a\.example has no address/);
  await assert.rejects(asked(['ESERVFAIL', 'ESERVFAIL'], ['EAI_AGAIN', 'EAI_AGAIN']), /EAI_AGAIN/);
});

test('F14: which servers to ask is read again when /etc/resolv.conf is another file, or changes', async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  t.after(() => rm(folder, { recursive: true }));
  const resolvConf = join(folder, 'resolv.conf');
  let opened = 0;
  const lookup = createSystemLookup({
    resolvConf,
    resolver: () => {
      const address = `198.51.100.${++opened}`;
      return { resolve4: () => say([address, 60]), resolve6: () => say('ENODATA') } as never;
    },
  });
  const answers = async (): Promise<readonly string[]> => (await lookup('a.example')).addresses;
  assert.deepEqual([await answers(), await answers()], [['198.51.100.1'], ['198.51.100.1']]);
  await writeFile(resolvConf, 'nameserver 192.0.2.1\n');
  assert.deepEqual([await answers(), await answers()], [['198.51.100.2'], ['198.51.100.2']]);
  await writeFile(resolvConf, 'nameserver 192.0.2.22\n');
  assert.deepEqual(await answers(), ['198.51.100.3']);
  await writeFile(join(folder, 'next'), 'nameserver 192.0.2.23\n');
  await rename(join(folder, 'next'), resolvConf);
  assert.deepEqual([await answers(), await answers()], [['198.51.100.4'], ['198.51.100.4']]);
});
