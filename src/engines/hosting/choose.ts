/**
 * Which engine takes a rule, and why, in words an operator can read. Pure: compares the needs of the rule with what each
 * engine says of itself. Called by the reconciler for each change of a rule.
 */
import { parseAddress } from '../../lib/net/address.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import type { Capabilities } from '../engine.ts';
import { ALONE, ENGINE_NAMES, type EngineName, type EngineSetting } from '../registry.ts';

/** The engines of this program on this host; one that is not in the map is not part of the program. */
type Engines = ReadonlyMap<EngineName, Capabilities>;
export type Choice = { readonly engine: EngineName; readonly why: string } | { readonly failure: string };

type Lack = (rule: PlannedRule, engine: Capabilities, setting: EngineSetting) => string | false | undefined;
const LACKS: readonly Lack[] = [
  (_, engine) => engine.unavailable,
  (rule, engine) => !engine.protocols.includes(rule.protocol) && `it has no ${rule.protocol}`,
  (rule, engine) => engine.lacking?.[rule.mode] ?? (!engine.modes.includes(rule.mode) && `it has no ${rule.mode}`),
  (rule, engine) => !engine.ipv6 && rule.entries.some((entry) => entry.includes(':')) && 'it has no IPv6',
  (rule, engine, setting) =>
    setting === 'auto' && !engine.nextOrigin && mayNeedNext(rule) && 'it cannot try the next origin',
  (rule, engine, setting) => setting === 'auto' && engine.translates && untranslatable(rule),
];

export function chooseEngine(rule: PlannedRule, setting: EngineSetting, engines: Engines): Choice {
  const only = ALONE[rule.mode];
  const lacks: string[] = [];
  for (const engine of setting === 'auto' ? ENGINE_NAMES.toReversed() : [setting]) {
    const capabilities = engines.get(engine);
    const lack = lackOf(rule, setting, capabilities);
    if (lack === undefined && setting !== 'auto') return { engine, why: `--engine ${setting}` };
    if (lack === undefined) return { engine, why: [reasons(lacks), ...priceOf(rule, capabilities)].join('; ') };
    if (engine === only) return { failure: `${rule.mode} needs the ${only} engine: ${lack}` };
    // An engine that this program does not have is no news.
    if (engines.has(engine)) lacks.push(`${engine}: ${lack}`);
  }
  if (only) return { failure: `${rule.mode} needs the ${only} engine, and --engine is ${setting}` };
  return { failure: `no engine can take it (${lacks.join('; ') || `${setting}: ${ABSENT}`})` };
}

const ABSENT = 'this version of EdgeFour does not have it';

function lackOf(rule: PlannedRule, setting: EngineSetting, engine: Capabilities | undefined): string | undefined {
  if (!engine) return ABSENT;
  for (const lack of LACKS) {
    const reason = lack(rule, engine, setting);
    if (typeof reason === 'string') return reason;
  }
  return undefined;
}

function reasons(lacks: readonly string[]): string {
  return lacks.length === 0 ? 'first choice' : lacks.join('; ');
}

/**
 * Why translation can't serve the rule, so that it is not tried at the rule's cost: translation leads from one family to the
 * same, and neither from nor to loopback. Asked for by name, the engine itself says what it can't do.
 */
function untranslatable(rule: PlannedRule): string | false {
  const hosts = rule.origins.map(({ host }) => host);
  if (hosts.length === 0 || needsNext(rule)) return 'it cannot try the next origin';
  if (!hosts.every(isAddress)) return 'it cannot follow a name to another family';
  const all = [...rule.entries, ...hosts];
  const isV6 = (address: string): boolean => address.includes(':');
  if (all.some(isV6) && !all.every(isV6)) return 'it cannot lead from IPv4 to IPv6 or back';
  if (all.some(isLoopback)) return 'it leaves loopback addresses to the others';
  return false;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** A refused TCP connection goes to the next origin, unless checks keep it from those that refuse; a name may stand for several. */
function mayNeedNext(rule: PlannedRule): boolean {
  if (rule.protocol !== 'TCP') return false;
  return needsNext(rule) || rule.origins.some(({ host }) => !isAddress(host));
}

/** Nothing but the traffic itself would say which of its origins are dead, and its owner has not agreed to that. */
function needsNext({ origins, options }: PlannedRule): boolean {
  return origins.length > 1 && !options.kernelUnchecked && !origins.every(({ check }) => check);
}

/** What clients of the rule pay for an engine that tries no next origin. */
function priceOf({ origins }: PlannedRule, engine: Capabilities | undefined): string[] {
  if (engine?.nextOrigin || origins.length < 2) return [];
  const intervals = origins.map(({ check }) => check?.checker.intervalSeconds ?? Infinity);
  const slowest = Math.max(...intervals);
  if (slowest < Infinity)
    return [`checked every ${slowest} s: a new connection to an origin that just died is not tried elsewhere`];
  return ['not checked, as the rule allows: a new connection to an origin that is dead is not tried elsewhere'];
}

function isAddress(host: string): boolean {
  return parseAddress(host) !== undefined;
}

/** The reason of a rule that waits with a relay for the previous process begins so. */
export const WAITS = 'until the edge before this one lets go';

/** Says what clients and origins notice of a move: docs/explanation/engines.md has the whole table. Empty: nothing. */
export function whatChanges(from: { readonly engine: EngineName; readonly why: string }, was: boolean, is: boolean) {
  if (was === is || from.why.startsWith(WAITS)) return [];
  const words = is
    ? ['now pass', 'are traffic, as the idle time goes', 'whole IP packets']
    : ['no longer pass', 'are not traffic, as the idle time goes', 'payload'];
  const [pass, probes, bytes] = words;
  return [
    `moved from ${from.engine}: DSCP, ECN, urgent data, MPTCP, Fast Open and "UDP port closed" ${pass}, keepalive probes ${probes}, bytes are ${bytes}`,
  ];
}
