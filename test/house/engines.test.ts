/**
 * The table "which engine serves my rule" of docs/explanation/engines.md is what the code does: each row is a rule, put to
 * the choice with what the engines claim, and to the kernel engine's own reading where it comes there.
 */
import { test } from 'node:test';
import { chooseEngine } from '../../src/engines/hosting/choose.ts';
import type { Capabilities } from '../../src/engines/engine.ts';
import type { EngineName, EngineSetting } from '../../src/engines/registry.ts';
import { kernelCapabilities } from '../../src/engines/kernel/capabilities.ts';
import { translatable, readListener } from '../../src/engines/kernel/translatable.ts';
import { nodeCapabilities } from '../../src/engines/node/capabilities.ts';
import { uringCapabilities } from '../../src/engines/uring/engine.ts';
import type { PlannedRule } from '../../src/plan/plan.ts';
import { listener, options, target } from '../suites/engine/listener.ts';
import { holds } from './holds.ts';
import { files } from './tree.ts';

const { targets: _none, ...PLAIN } = listener({ entries: ['192.0.2.1'], ports: [{ from: 443, to: 443 }] });
const to = (...hosts: string[]): Pick<PlannedRule, 'origins'> => ({
  origins: hosts.map((host) => ({ host, weight: 100, tier: 0 })),
});
const ONE = to('198.51.100.1');
const SEVERAL = to('198.51.100.1', '198.51.100.2');
const [first, second] = SEVERAL.origins;
const checker = { type: 'ICMP Ping', intervalSeconds: 10, timeoutSeconds: 5, rise: 3, fall: 2 } as const;
const check = { owner: 'rule-1', checker };
const CHECKED = { origins: SEVERAL.origins.map((origin) => ({ ...origin, check })) };
const PARTLY = { origins: [{ ...first!, check }, second!] };
const RANGE = { from: 2000, to: 2999 };

/** Of several rules in a row each must fare the same. */
const RULES: readonly (readonly [words: string, ...rules: Partial<PlannedRule>[]])[] = [
  ['`OFF`, TCP or UDP, one origin given as an address', ONE, { ...ONE, protocol: 'UDP' }],
  ['the same with session persistence', { ...ONE, persistSeconds: 600 }],
  ['the same with a range of ports, to one port or to as many', { ...ONE, ports: [RANGE], originPorts: RANGE }],
  ['the same in IPv6, entry and origin', { ...to('2001:db8::1'), entries: ['2001:db8::80'] }],
  [
    '`OFF`, several origins given as addresses, all of them checked',
    CHECKED,
    { ...CHECKED, protocol: 'UDP' },
    { ...CHECKED, persistSeconds: 600 },
  ],
  [
    'the same, not checked, and the rule says `KernelUnchecked`',
    { ...SEVERAL, options: options({ kernelUnchecked: true }) },
    { ...SEVERAL, options: options({ kernelUnchecked: true }), protocol: 'UDP' },
  ],
  ['`OFF`, several origins, any of them not checked', SEVERAL, { ...SEVERAL, protocol: 'UDP' }, PARTLY],
  ['`OFF`, an origin given as a name', to('origin.example')],
  [
    '`OFF`, an entry of IPv4 and an origin of IPv6, or the other way round',
    to('2001:db8::1'),
    { ...ONE, entries: ['2001:db8::80'] },
    { ...CHECKED, entries: ['2001:db8::80'] },
  ],
  ['`OFF`, entries of both families and the origin of one', { ...ONE, entries: ['192.0.2.1', '2001:db8::80'] }],
  ['`OFF`, entry and origin on loopback', { ...to('127.0.0.1'), entries: ['127.44.0.1'] }],
  ['`OFF`, one of them on loopback and the other not', { ...ONE, entries: ['127.44.0.1'] }],
  [
    '`PPV1`, `PPV2`, `SPP`',
    { ...ONE, mode: 'PPV1' },
    { ...ONE, mode: 'PPV2' },
    { ...ONE, mode: 'SPP', protocol: 'UDP' },
  ],
  ['`TOA`', { ...ONE, mode: 'TOA' }],
];

const at = (capabilities: Capabilities): Capabilities => ({ ...capabilities, ipv6: true });
const absent: Capabilities = { ...at(nodeCapabilities()), unavailable: 'it is not there' };
const ENGINES: Readonly<Partial<Record<EngineName, Capabilities>>> = {
  kernel: at(kernelCapabilities(true, false)),
  uring: at(uringCapabilities(undefined)),
  node: at(nodeCapabilities()),
};
const COLUMNS: readonly (readonly [words: string, setting: EngineSetting, engines: typeof ENGINES])[] = [
  ['`auto`', 'auto', ENGINES],
  ['`auto` without the kernel engine', 'auto', { ...ENGINES, kernel: absent }],
  ['`auto` with node alone', 'auto', { ...ENGINES, kernel: absent, uring: absent }],
  ['`--engine kernel`', 'kernel', ENGINES],
  ['`--engine uring`', 'uring', ENGINES],
  ['`--engine node`', 'node', ENGINES],
];

function served(change: Partial<PlannedRule>, setting: EngineSetting, engines: typeof ENGINES): string {
  const rule: PlannedRule = { ...PLAIN, origins: [], ...change };
  const choice = chooseEngine(rule, setting, new Map(Object.entries(engines) as [EngineName, Capabilities][]));
  if ('failure' in choice) return 'fail';
  if (choice.engine !== 'kernel') return choice.engine;
  // As a name server would say.
  const targets = rule.origins.map(({ host }) => target(host.endsWith('example') ? '198.51.100.9' : host));
  const read = readListener({ ...rule, targets });
  return 'reason' in read || 'reason' in translatable(read.listener) ? 'fail' : 'kernel';
}

function whoServes(rules: readonly Partial<PlannedRule>[], setting: EngineSetting, engines: typeof ENGINES): string {
  return [...new Set(rules.map((rule) => served(rule, setting, engines)))].join(' or ');
}

test('the table of which engine serves a rule is what the engines claim', () => {
  const path = 'docs/explanation/engines.md';
  const page = files().find((file) => file.path === path)?.text ?? '';
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    row(['A rule with', ...COLUMNS.map(([words]) => words)]),
    `|${'---|'.repeat(COLUMNS.length + 1)}`,
    ...RULES.map(([words, ...rules]) =>
      row([words, ...COLUMNS.map(([, setting, engines]) => whoServes(rules, setting, engines))]),
    ),
  ];
  holds(lines.filter((line) => !page.split('\n').includes(line)).map((line) => `${path} must have the line ${line}`));
});
