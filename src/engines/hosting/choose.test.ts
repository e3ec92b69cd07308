import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plannedRule } from '../../plan/plan.fixture.ts';
import type { PlannedOrigin, PlannedRule } from '../../plan/plan.ts';
import type { Capabilities } from '../engine.ts';
import type { EngineName, EngineSetting } from '../registry.ts';
import { chooseEngine } from './choose.ts';

const ALL: Capabilities = {
  modes: ['OFF', 'PPV1', 'PPV2', 'SPP'],
  protocols: ['TCP', 'UDP'],
  ipv6: true,
  nextOrigin: true,
};
const NODE = ALL;
const URING: Capabilities = { ...ALL, modes: [...ALL.modes, 'TOA'] };
const KERNEL: Capabilities = { ...ALL, modes: ['OFF'], nextOrigin: false, translates: true };
const EVERY: Partial<Record<EngineName, Capabilities>> = { kernel: KERNEL, uring: URING, node: NODE };

const RULE = plannedRule();
const origin = (host: string) => ({ host, weight: 1, tier: 0 });
const checked = (host: string, intervalSeconds = 10): PlannedOrigin => {
  const checker = { type: 'ICMP Ping', intervalSeconds, timeoutSeconds: 5, rise: 3, fall: 2 } as const;
  return { ...origin(host), check: { owner: 'r', checker } };
};

function choice(
  rule: Partial<PlannedRule>,
  setting: EngineSetting,
  engines: Partial<Record<EngineName, Capabilities>>,
) {
  const map = new Map(Object.entries(engines) as [EngineName, Capabilities][]);
  const chosen = chooseEngine({ ...RULE, ...rule }, setting, map);
  return 'engine' in chosen ? `${chosen.engine}: ${chosen.why}` : chosen.failure;
}

const down = (unavailable: string): Capabilities => ({ ...URING, unavailable });

test('which engine, and why', () => {
  const cases: readonly (readonly [string, Partial<PlannedRule>, EngineSetting, typeof EVERY])[] = [
    ['kernel: first choice', {}, 'auto', EVERY],
    ['uring: kernel: it has no PPV2', { mode: 'PPV2' }, 'auto', EVERY],
    ['uring: kernel: it has no TOA', { mode: 'TOA' }, 'auto', EVERY],
    [
      'uring: kernel: it cannot try the next origin',
      { origins: [origin('198.51.100.1'), origin('198.51.100.2')] },
      'auto',
      EVERY,
    ],
    ['uring: kernel: it cannot try the next origin', { origins: [origin('a.example')] }, 'auto', EVERY],
    [
      'uring: kernel: it cannot follow a name to another family',
      { origins: [origin('a.example')], protocol: 'UDP' },
      'auto',
      EVERY,
    ],
    ['kernel: first choice', { entries: ['2001:db8::9'], origins: [origin('2001:db8::1')] }, 'auto', EVERY],
    ['uring: kernel: it cannot lead from IPv4 to IPv6 or back', { origins: [origin('2001:db8::1')] }, 'auto', EVERY],
    [
      'uring: kernel: it cannot lead from IPv4 to IPv6 or back',
      { entries: ['192.0.2.1', '2001:db8::9'] },
      'auto',
      EVERY,
    ],
    ['uring: kernel: it leaves loopback addresses to the others', { entries: ['127.44.0.1'] }, 'auto', EVERY],
    ['uring: kernel: it leaves loopback addresses to the others', { origins: [origin('127.0.0.1')] }, 'auto', EVERY],
    ['kernel: --engine kernel', { entries: ['127.44.0.1'] }, 'kernel', EVERY],
    [
      'node: uring: io_uring is switched off; sysctl kernel.io_uring_disabled=0',
      {},
      'auto',
      { node: NODE, uring: down('io_uring is switched off; sysctl kernel.io_uring_disabled=0') },
    ],
    [
      'node: kernel: it has no IPv6',
      { entries: ['192.0.2.1', '2001:db8::9'] },
      'auto',
      { node: NODE, kernel: { ...KERNEL, ipv6: false } },
    ],
    ['node: first choice', {}, 'auto', { node: NODE }],
    ['node: --engine node', {}, 'node', EVERY],
    ['kernel: --engine kernel', { origins: [origin('a.example')] }, 'kernel', EVERY],
    ['no engine can take it (kernel: it has no SPP)', { mode: 'SPP', protocol: 'UDP' }, 'kernel', EVERY],
    ['no engine can take it (node: it has no IPv6)', { entries: ['::1'] }, 'auto', { node: { ...NODE, ipv6: false } }],
    ['no engine can take it (uring: this version of EdgeFour does not have it)', {}, 'uring', { node: NODE }],
    ['TOA needs the uring engine: this version of EdgeFour does not have it', { mode: 'TOA' }, 'auto', { node: NODE }],
    ['TOA needs the uring engine: no CAP_BPF', { mode: 'TOA' }, 'auto', { node: NODE, uring: down('no CAP_BPF') }],
    ['TOA needs the uring engine, and --engine is node', { mode: 'TOA' }, 'node', EVERY],
  ];
  for (const [expected, rule, setting, engines] of cases) assert.equal(choice(rule, setting, engines), expected);
});

test('several origins go to the kernel where they are checked, or where the rule allows that they are not', () => {
  const [one, two] = ['198.51.100.1', '198.51.100.2'];
  const unchecked = { ...RULE.options, kernelUnchecked: true };
  const next = 'uring: kernel: it cannot try the next origin';
  const family = 'uring: kernel: it cannot lead from IPv4 to IPv6 or back';
  const dead = (every: string, origin: string): string =>
    `kernel: first choice; ${every}: a new connection to an origin that ${origin} is not tried elsewhere`;
  const cases: readonly (readonly [string, Partial<PlannedRule>])[] = [
    [dead('checked every 30 s', 'just died'), { origins: [checked(one), checked(two, 30)] }],
    [dead('checked every 10 s', 'just died'), { origins: [checked(one), checked(two)], protocol: 'UDP' }],
    [
      dead('checked every 10 s', 'just died'),
      { origins: [checked('2001:db8::1'), checked('2001:db8::2')], entries: ['2001:db8::9'] },
    ],
    [dead('not checked, as the rule allows', 'is dead'), { origins: [checked(one), origin(two)], options: unchecked }],
    [
      dead('not checked, as the rule allows', 'is dead'),
      { origins: [origin(one), origin(two)], options: unchecked, protocol: 'UDP' },
    ],
    ['kernel: first choice', { origins: [checked(one)] }],
    ['kernel: first choice', { origins: [origin(one)], options: unchecked }],
    [next, { origins: [checked(one), origin(two)] }],
    [next, { origins: [checked(one), origin(two)], protocol: 'UDP' }],
    [next, { origins: [checked(one), checked('a.example')] }],
    [
      'uring: kernel: it cannot follow a name to another family',
      { origins: [checked(one), checked('a.example')], protocol: 'UDP' },
    ],
    [family, { origins: [checked(one), checked('2001:db8::2')] }],
    [family, { origins: [checked(one), checked('2001:db8::2')], options: unchecked, entries: ['2001:db8::9'] }],
    ['uring: kernel: it leaves loopback addresses to the others', { origins: [checked(one), checked('127.0.0.1')] }],
    ['uring: kernel: it has no PPV2', { origins: [checked(one), checked(two)], mode: 'PPV2' }],
  ];
  for (const [expected, rule] of cases) assert.equal(choice(rule, 'auto', EVERY), expected);
  const relays = { uring: URING, node: NODE };
  assert.equal(choice({ origins: [checked(one), checked(two)] }, 'auto', relays), 'uring: first choice');
  assert.equal(choice({ origins: [origin(one), origin(two)] }, 'kernel', EVERY), 'kernel: --engine kernel');
});
