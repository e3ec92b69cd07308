/**
 * The lines of one rule's chains: a kind of limit is a method here, which writes its lines into the chains where packets
 * meet it, and notes the counters, meters and sets that the lines name. Pure. Called by pieces.ts, in the order in which a
 * packet meets the limits.
 */
import { FAMILIES, type Family, IP, type MapKind, NOT_PLACEHOLDER, SYN } from '../layout.ts';
import type { LimitedRule, SetsOfNetworks } from './limited-rule.ts';
import { digest, masked, over } from './nft-text.ts';

/** Why a packet was given up: the words of `dropped` in counters. `syn-cookie`: answered with a cookie instead. */
type Reason =
  | 'ban'
  | 'deny'
  | 'allow'
  | 'packets'
  | 'rate'
  | 'rule-rate'
  | 'concurrent'
  | 'rule-concurrent'
  /** Of a source that a full meter has no room for. */
  | 'crowd'
  | 'syn-cookie';

/** A chain of a rule: where a map leads, or the list of sources that are allowed. */
export type ChainKind = MapKind | 'allow';

/** limit: sources beyond those that a meter remembers share what so many of them may have. */
const CROWD = 64;
/** limit: connections of the crowd are counted by looking through them, a few hundred times a second at most. */
const MOST_OF_CROWD = 1024;
const SYNPROXY = 'synproxy mss 1460 wscale 7 timestamp sack-perm';

export class ChainLines {
  readonly counters = new Set<string>();
  /** Name → how nft declares it. */
  readonly meters = new Map<string, string>();
  /** Names of sets of networks that lines look into. */
  readonly reads = new Set<string>();
  /** order: a chain that is jumped to comes before the jump. */
  readonly chains: Readonly<Record<ChainKind, string[]>> = { allow: [], gate: [], hold: [], cookie: [] };
  readonly #rule: LimitedRule;
  readonly #sets: SetsOfNetworks;
  readonly #sources: number;
  readonly #families: readonly Family[];

  /** `sources`: how many a meter remembers. */
  constructor(rule: LimitedRule, sets: SetsOfNetworks, sources: number) {
    this.#rule = rule;
    this.#sets = sets;
    this.#sources = sources;
    this.#families = FAMILIES.filter((family) => rule.entries.some((entry) => entry.includes(':') === (family === 6)));
  }

  get #isTcp(): boolean {
    return this.#rule.protocol === 'TCP';
  }

  networks(): void {
    const { id, proxy, limits = {} } = this.#rule;
    const { allow, gate } = this.chains;
    for (const family of this.#families) {
      for (const { name, bits } of this.#sets.bans(proxy, family))
        gate.push(`${masked(family, bits)} ${this.#read(name)} ${this.#count('ban')} drop`);
      for (const key of limits.deny ?? []) gate.push(`${this.#isInList(key, family)} ${this.#count('deny')} drop`);
      for (const key of limits.allow ?? []) allow.push(`${this.#isInList(key, family)} return`);
    }
    if (allow.length === 0) return;
    allow.push(`${this.#count('allow')} drop`);
    gate.push(`jump ${chainName('allow', id, allow)}`);
  }

  rates(): void {
    const { newPerSecond, ruleNewPerSecond, packetsPerSecond } = this.#rule.limits ?? {};
    const { gate, hold } = this.chains;
    if (packetsPerSecond && !this.#isTcp) this.#perSource(gate, '', 'packets', packetsPerSecond);
    const opening = this.#isTcp ? gate : hold;
    const when = this.#isTcp ? `${SYN} ` : `${NOT_PLACEHOLDER} `;
    if (newPerSecond) this.#perSource(opening, when, 'rate', newPerSecond);
    if (ruleNewPerSecond) opening.push(`${when}${over(ruleNewPerSecond)} ${this.#count('rule-rate')} drop`);
  }

  openConnections(): void {
    const { concurrent, ruleConcurrent, newPerSecond, ruleNewPerSecond } = this.#rule.limits ?? {};
    const { hold } = this.chains;
    const refuse = (reason: Reason): string =>
      `${NOT_PLACEHOLDER} ${this.#count(reason)} ${this.#isTcp ? 'reject with tcp reset' : 'drop'}`;
    // All counts of a rule are new together, so that each open connection gets into each of them once.
    const rates = this.#isTcp ? [] : [newPerSecond, ruleNewPerSecond];
    const together = JSON.stringify([concurrent, ruleConcurrent, this.#families, ...rates]);
    if (concurrent)
      for (const family of this.#families) {
        const source = this.#source(family);
        const name = this.#meter('concurrent', together, family, 'dynamic');
        const ofCrowd = Math.max(concurrent, Math.min(CROWD * concurrent, MOST_OF_CROWD));
        hold.push(
          `add @${name} { ${source} ct count over ${concurrent} } ${refuse('concurrent')}`,
          `${source} != @${name} ct count over ${ofCrowd} ${refuse('crowd')}`,
        );
      }
    if (ruleConcurrent) hold.push(`ct count over ${ruleConcurrent} ${refuse('rule-concurrent')}`);
  }

  cookies(): void {
    const { synProxy } = this.#rule.limits ?? {};
    const { gate, cookie } = this.chains;
    if (!synProxy || !this.#isTcp) return;
    for (const family of this.#families) {
      const ip = IP[family];
      const syn = `meta nfproto ipv${family} iif != lo ${SYN} ${over(synProxy)}`;
      gate.push(`${syn} update @attacked${family} { ${ip} daddr . tcp dport } ${this.#count('syn-cookie')} notrack`);
      const bearer = `ct state new,invalid tcp flags & (fin | syn | rst | ack) == ack`;
      cookie.push(`ct state untracked ${SYN} ${SYNPROXY}`);
      cookie.push(`${ip} daddr . tcp dport @attacked${family} ${bearer} ${SYNPROXY}`);
    }
  }

  #perSource(chain: string[], when: string, reason: Reason, number: number): void {
    for (const family of this.#families) {
      const name = this.#meter(reason, number, family, 'dynamic,timeout; timeout 10s');
      const source = this.#source(family);
      chain.push(
        `${when}update @${name} { ${source} ${over(number)} } ${this.#count(reason)} drop`,
        `${when}${source} != @${name} ${over(CROWD * number)} ${this.#count('crowd')} drop`,
      );
    }
  }

  #count(reason: Reason): string {
    const name = `${this.#rule.id}.${reason}`;
    this.counters.add(name);
    return `counter name "${name}"`;
  }

  /** The part of an address that makes a source. */
  #source(family: Family): string {
    const { prefix4 = 32, prefix6 = 64 } = this.#rule.limits ?? {};
    return masked(family, family === 4 ? prefix4 : prefix6);
  }

  #meter(reason: Reason, number: number | string, family: Family, flags: string): string {
    const name = `${reason}-${this.#rule.id}-${digest(`${number} ${this.#source(family)}`)}-${family}`;
    this.meters.set(name, `{ type ipv${family}_addr; size ${this.#sources}; flags ${flags}; }`);
    return name;
  }

  #read(name: string): string {
    this.reads.add(name);
    return `@${name}`;
  }

  #isInList(key: string, family: Family): string {
    return `${IP[family]} saddr ${this.#read(this.#sets.list(key, family))}`;
  }
}

export function chainName(kind: ChainKind, rule: string, lines: readonly string[]): string {
  return `${kind}-${rule}-${digest(lines.join('\n'))}`;
}
