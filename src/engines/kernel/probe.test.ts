import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProbeDeps, whyUnavailable } from './probe.ts';
import { notForwarded, switchedOff } from './sysctl.ts';

const READY: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.netfilter.nf_conntrack_acct': '1',
  'net.netfilter.nf_conntrack_timestamp': '1',
};
const sysctls = (values: Readonly<Record<string, string>>) => ({
  read: (name: string) => values[name],
  set: () => assert.fail('a probe changes nothing'),
});
const READY_MACHINE: ProbeDeps = {
  platform: 'linux',
  status: () => 'Name:\tnode\nCapEff:\t0000000000001000\n',
  check: () => Promise.resolve(''),
  sysctls: sysctls(READY),
};

test('what is missing is said in a line, the cheapest first', async () => {
  const never = (): never => assert.fail('asked for too much');
  const cases: readonly (readonly [RegExp | undefined, Partial<ProbeDeps>, boolean])[] = [
    [undefined, {}, false],
    [/this is darwin/, { platform: 'darwin', status: never, check: never }, true],
    [/CAP_NET_ADMIN/, { status: () => 'CapEff:\t0000000000000400\n', check: never }, true],
    [/CAP_NET_ADMIN/, { status: () => '' }, true],
    [
      /net\.ipv4\.ip_forward must be 1/,
      { sysctls: sysctls({ ...READY, 'net.ipv4.ip_forward': '0' }), check: never },
      false,
    ],
    [undefined, { sysctls: sysctls({}) }, true],
    [/not take its table: no nat/, { check: () => Promise.resolve('no nat') }, true],
  ];
  for (const [expected, change, isAsked] of cases) {
    const why = await whyUnavailable({ ...READY_MACHINE, ...change }, isAsked);
    if (expected) assert.match(why ?? '', expected);
    else assert.equal(why, undefined);
  }
});

test('what would not be forwarded says which switch', () => {
  assert.equal(notForwarded(['192.0.2.1'], sysctls(READY)), undefined);
  assert.match(
    notForwarded(['192.0.2.1', '2001:db8::1'], sysctls(READY)) ?? '',
    /net\.ipv6\.conf\.all\.forwarding=1 .*accept_ra/,
  );
  assert.match(notForwarded(['192.0.2.1'], sysctls({})) ?? '', /ip_forward=1$/);
  assert.equal(notForwarded(['127.44.0.1', '::1'], sysctls({})), undefined);
  assert.deepEqual(switchedOff(sysctls(READY)), []);
});
