/**
 * Finds foreign parts of the firewall in the way of rules: a chain that drops what they carry, a translation that takes their
 * ports away. Follows a new connection of each rule through every foreign base chain, as far as conditions can be
 * judged; one that can't may hold or not, and the words say so. Pure; facts come from ruleset.ts, legacy.ts and places.ts.
 */
import { cidrContains, parseCidr } from '../../lib/net/cidr.ts';
import { parseAddress } from '../../lib/net/address.ts';
import { formatPortSpan, type PortSpan, spansOverlap } from '../../lib/net/ports.ts';
import { type Finding, ok, warn } from '../../observe/finding.ts';
import { isLegacy, legacyInsert } from './legacy.ts';
import type { Ask, Chain, Rule } from './ruleset.ts';

/** A new connection on its way; unknown parts are absent. */
export interface Packet {
  readonly protocol?: 'TCP' | 'UDP';
  readonly to?: string;
  readonly ports?: readonly PortSpan[];
  /** From this machine to itself. */
  readonly isLoopback: boolean;
  /** Led by the kernel engine, and past that. */
  readonly isLed: boolean;
}

/** One entry of one rule, or of any rule where none is known. */
export interface Place {
  /** '' where none is known. */
  readonly rule: string;
  readonly family: 4 | 6;
  /** As clients send it, and as the kernel engine sends it on. */
  readonly before: Packet;
  /** Absent: it does not. */
  readonly after?: Packet;
}

type Chains = ReadonlyMap<string, Chain>;
type Answer = 'yes' | 'no' | 'maybe';
type Hook = NonNullable<Chain['hook']>;
interface BaseChain extends Chain {
  readonly hook: Hook;
}

const OWN = /^inet edgefour(?:_guard(?:_stand_in)?)?$/;
const HOOKS = new Set(['ingress', 'prerouting', 'forward', 'input', 'postrouting']);
/** Where the kernel engine translates (engines/kernel/table/base.ts). */
const TRANSLATION = -100;
/** limit: steps per connection and chain; a connection that is not through by then is not judged. */
const MOST_STEPS = 20_000;
const MOST_DEPTH = 16;
/** limit: names in one line. */
const MOST_NAMED = 5;

/** `of`: what was looked at. */
export function firewallFindings(chains: Chains, places: readonly Place[], of = 'nftables'): Finding[] {
  const bases = [...chains.values()].filter(
    (chain): chain is BaseChain => chain.hook !== undefined && HOOKS.has(chain.hook.name) && !OWN.test(chain.table),
  );
  const doubts = new Set<string>();
  const drops = bases
    .filter(({ hook }) => hook.type === 'filter')
    .flatMap((base) => dropping(chains, base, places, doubts));
  const thefts = bases.filter(({ hook }) => hook.type === 'nat').flatMap((base) => stealing(chains, base, places));
  const found = [...drops, ...thefts];
  if (found.length === 0) found.push(ok('firewall', `nothing else in ${of} is seen to drop what EdgeFour carries`));
  if (doubts.size > 0)
    found.push(ok('firewall', `drops under conditions that are not judged here: ${few([...doubts], '; ')}`));
  return found;
}

function dropping(chains: Chains, base: BaseChain, places: readonly Place[], doubts: Set<string>): Finding[] {
  const certain = new Map<Place, string>();
  const possible = new Map<Place, string>();
  for (const place of places) {
    const packet = place[sideOf(base.hook)];
    if (!packet || !isSeen(base, place)) continue;
    const walk = new Walk(chains, packet);
    const end = walk.through(base) ?? (base.hook.drops ? `${base.name} (by its policy)` : 'accept');
    for (const chain of walk.doubts) doubts.add(`${base.table} ${chain}`);
    if (end !== 'accept') (walk.mayPass ? possible : certain).set(place, end);
    else if (walk.named !== undefined) possible.set(place, walk.named);
  }
  return [
    ...dropFinding(base, certain, ''),
    ...dropFinding(base, possible, ', unless conditions that are not judged here spare them'),
  ];
}

function dropFinding(base: BaseChain, by: ReadonlyMap<Place, string>, unless: string): Finding[] {
  const [first] = by.keys();
  if (!first) return [];
  const where = whereOf(base, few([...new Set(by.values())]));
  const what = base.hook.name === 'input' ? 'what clients send to the relays and to origins on this machine' : CARRIED;
  const whose =
    first.rule === '' ? what : `new connections of ${few([...new Set([...by.keys()].map(({ rule }) => rule))])}`;
  return [
    warn(
      'firewall',
      `${where} drops ${whose}${unless}`,
      isLegacy(base.table)
        ? `${legacyInsert(base)} ${spareLegacy(base, first)} -j ACCEPT`
        : `nft 'insert rule ${base.table} ${base.name} ${spare(base, first)}'`,
    ),
  ];
}

const CARRIED = 'what the kernel engine passes on';

/** The statement that lets it in. */
function spare(base: BaseChain, { before, family }: Place): string {
  if (sideOf(base.hook) === 'after') return 'ct mark & 0xe0000000 == 0xe0000000 accept';
  const to = before.to === undefined ? '' : `${family === 4 ? 'ip' : 'ip6'} daddr ${before.to} `;
  const ports = before.ports?.map(formatPortSpan).join(', ');
  const port = ports === undefined ? '' : `${before.protocol?.toLowerCase()} dport { ${ports} } `;
  return `${to}${port}accept`;
}

function spareLegacy(base: BaseChain, { before }: Place): string {
  if (sideOf(base.hook) === 'after') return '-m connmark --mark 0xe0000000/0xe0000000';
  const to = before.to === undefined ? [] : [`-d ${before.to}`];
  const ports = before.ports?.map(({ from, to }) => (from === to ? `${from}` : `${from}:${to}`)).join(',');
  const port = ports === undefined ? [] : [`-p ${before.protocol?.toLowerCase()} -m multiport --dports ${ports}`];
  return [...to, ...port].join(' ');
}

function stealing(chains: Chains, base: BaseChain, places: readonly Place[]): Finding[] {
  if (base.hook.name !== 'prerouting') return [];
  return places.flatMap((place) => {
    if (place.rule === '' || !isSeen(base, place)) return [];
    const walk = new Walk(chains, place.before);
    walk.through(base);
    if (walk.taken === undefined) return [];
    const what = `${place.before.protocol} ${place.before.to} ${place.before.ports?.map(formatPortSpan).join(',')}`;
    const text = `${whereOf(base, walk.taken)} translates ${what}, the place of ${place.rule}`;
    return [warn('firewall', text, 'Take it out there, or give the rule another port.')];
  });
}

function whereOf({ table, hook }: BaseChain, chain: string): string {
  return `table ${table}, chain ${chain} (${hook.name}, priority ${hook.priority})`;
}

function isSeen({ table }: Chain, { family }: Place): boolean {
  const [of] = table.split(' ');
  return of === 'inet' || of === 'netdev' || of === (family === 4 ? 'ip' : 'ip6');
}

function sideOf({ name, priority }: Hook): 'before' | 'after' {
  if (name === 'prerouting') return priority > TRANSLATION ? 'after' : 'before';
  return name === 'forward' || name === 'postrouting' ? 'after' : 'before';
}

/** One connection through one base chain and where that leads. */
class Walk {
  /** Some rule that can't be judged may accept it before it is dropped. */
  mayPass = false;
  /** Chains that may drop it; the one that does so with its very port in the condition; the one that translates it. */
  readonly doubts = new Set<string>();
  named: string | undefined;
  taken: string | undefined;
  readonly #chains: Chains;
  readonly #packet: Packet;
  #steps = 0;

  constructor(chains: Chains, packet: Packet) {
    this.#chains = chains;
    this.#packet = packet;
  }

  /** `accept`, or the chain that drops it; undefined: the end of the chain. */
  through(chain: Chain, depth = 0): string | undefined {
    for (const rule of chain.rules) {
      if (++this.#steps > MOST_STEPS || depth > MOST_DEPTH) return undefined;
      const answer = holds(rule.asks, this.#packet);
      if (answer === 'no') continue;
      const { verdict } = rule;
      if (verdict.kind === 'return' && answer === 'yes') return undefined;
      const end = this.#end(chain, rule, depth);
      if (answer === 'yes') {
        if (end !== undefined) return end;
        if (verdict.kind === 'goto') return undefined;
      } else this.#doubt(end, rule);
    }
    return undefined;
  }

  #end({ table, name }: Chain, { verdict, asks }: Rule, depth: number): string | undefined {
    if (verdict.kind === 'accept') return 'accept';
    if (verdict.kind === 'drop') return name;
    if (verdict.kind === 'nat' && (holds(asks, this.#packet) === 'yes' || asks.some(({ on }) => on === 'ports')))
      this.taken ??= name;
    const next = 'chain' in verdict ? this.#chains.get(`${table} ${verdict.chain}`) : undefined;
    return next && this.through(next, depth + 1);
  }

  #doubt(end: string | undefined, { asks, verdict }: Rule): void {
    if (end === 'accept') this.mayPass = true;
    else if (
      end !== undefined &&
      verdict.kind === 'drop' &&
      asks.some(({ on }) => on === 'ports') &&
      this.#packet.ports
    )
      this.named ??= end;
    else if (end !== undefined) this.doubts.add(end);
  }
}

function holds(asks: readonly Ask[], packet: Packet): Answer {
  const answers = new Set(asks.map((ask) => answerTo(ask, packet)));
  if (answers.has('no')) return 'no';
  return answers.has('maybe') ? 'maybe' : 'yes';
}

function answerTo(ask: Ask, { protocol, to, ports, isLoopback, isLed }: Packet): Answer {
  switch (ask.on) {
    case 'unknown':
      return 'maybe';
    case 'loopback':
      return yesOrNo(isLoopback);
    case 'ours':
    case 'translated':
      return yesOrNo(isLed);
    case 'state':
      return yesOrNo(ask.words.includes('new'));
    case 'protocol':
      return protocol === undefined ? 'maybe' : yesOrNo(ask.words.includes(protocol.toLowerCase()));
    case 'to':
      return to === undefined ? 'maybe' : isIn(to, ask.words);
    case 'ports':
      if (!ports) return 'maybe';
      if (!spansOverlap(ports, ask.spans)) return 'no';
      return ports.every((one) => ask.spans.some(({ from, to }) => from <= one.from && one.to <= to)) ? 'yes' : 'maybe';
  }
}

const yesOrNo = (is: boolean): Answer => (is ? 'yes' : 'no');

function isIn(address: string, networks: readonly string[]): Answer {
  const bytes = parseAddress(address);
  const cidrs = networks.map((network) => parseCidr(network));
  if (bytes && cidrs.some((cidr) => cidr && cidrContains(cidr, bytes))) return 'yes';
  return bytes && cidrs.every((cidr) => cidr) ? 'no' : 'maybe';
}

function few(all: readonly string[], between = ', '): string {
  const rest = all.length - MOST_NAMED;
  return all.slice(0, MOST_NAMED).join(between) + (rest > 0 ? `${between}and ${rest} more` : '');
}
