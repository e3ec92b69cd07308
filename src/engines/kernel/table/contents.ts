/**
 * One rule as what it puts into the table: elements of the shared sets, and for a rule with several targets a chain of
 * its own that picks one. Pure; what a change takes is the difference of two of these (linux/nft/transaction.ts).
 *
 * A range of any width is one element of an interval map. Where all its ports go to one port, or stay as they are, that
 * is all. nftables cannot add, so a range that maps onto another one takes an element of `shift` per port: that costs
 * memory (about 100 bytes a port), not time.
 */
import { spanSize } from '../../../lib/net/ports.ts';
import { hex } from '../../../linux/nft/nf-tables.ts';
import type { Listener, Target } from '../../engine.ts';
import { MOST_REMEMBERED_CLIENTS } from '../../flow/behaviour.ts';
import { originPort } from '../../flow/endpoints.ts';
import { markAt, markOf, MOST_SLOTS, rotationKey } from './marks.ts';
import { type Share, shares } from './rotation.ts';
import { type Contents, type Element, type Family, familyOf, type SetName } from './sets.ts';

export const NONE: Contents = { elements: new Map(), chains: new Map(), maps: new Map() };

/** Where in the table the rule is. */
export interface Place {
  /** marks.ts. The first is the rule's name in the table. */
  readonly indices: readonly number[];
  /** Target address → slot, for every target. */
  readonly slots: ReadonlyMap<string, number>;
  /** The chain with its time-outs and records: settings.ts. */
  readonly settings: string;
}

/** limit: 100 KB in the kernel; 1,000 origins that weigh the same. */
const MOST_TURN = 1024;

export function contentsOf(listener: Listener, place: Place): Contents {
  const elements = new Map<string, Element>();
  const chains = new Map<string, readonly string[]>();
  const maps = new Map<string, string>();
  const [index = 0] = place.indices;
  const pages = place.indices.map((one) => hex(markOf(one)));
  const rule = hex(markOf(index));
  const put: Put = (set, key, data = '') => void elements.set(`${set} ${key}`, { set, key, data });

  for (const [page, key] of pages.entries()) {
    const comment = `${listener.id} ${listener.proxy}${page > 0 ? ` ${page}` : ''}`;
    elements.set(`rules ${key}`, { set: 'rules', key, data: '', comment });
    put('fresh', key);
    put('told', key);
    put('settings', key, `jump ${place.settings}`);
    if (isSlow(listener)) put('slow', key);
  }
  for (const entry of listener.entries) putEntry(listener, entry, rule, put);
  const kind = portKind(listener);
  if (kind === 'shift') for (const page of pages) putShift(listener, page, put);
  for (const family of new Set(listener.entries.map(familyOf))) {
    for (const way of pages.flatMap((page) => [`${page} . original`, `${page} . reply`])) {
      const [set, key] = [`seen${family}`, way] as const;
      // With its protocol as a comment: a rule that changes it gets a new counter.
      elements.set(`${set} ${key}`, { set, key, data: '', comment: listener.protocol });
    }
    const takers = takersOf(listener, family);
    const [only, ...others] = takers;
    if (only === undefined) put('refused', rule);
    else if (others.length === 0) {
      putTarget(listener, only, rule, put);
      if (kind !== 'one') put(`more${family}`, rule, `goto ${kind}${family}`);
    } else {
      const markOfTarget = ({ address }: { readonly address: string }): string =>
        hex(markAt(place.indices, place.slots.get(address) ?? 0));
      for (const target of takers) putTarget(listener, target, markOfTarget(target), put);
      const [turn, kept] = [`turn-${index}-${family}`, `kept-${index}-${family}`];
      put(`more${family}`, rule, `goto ${turn}`);
      const runs = shares(takers);
      const pick = putTurn(runs, index, family, markOfTarget, put) ?? pickLine(runs, markOfTarget);
      chains.set(turn, turnLines(pick, `jump ${kind}${family}`, family, kept, listener.persistSeconds));
      if (listener.persistSeconds > 0)
        maps.set(kept, `{ type ipv${family}_addr : mark; size ${MOST_REMEMBERED_CLIENTS}; flags dynamic,timeout; }`);
    }
  }
  return { elements, chains, maps };
}

/** limit: conntrack hears of a connection on the fast path once a second. */
const LEAST_IDLE_SECONDS = 3;

/** Each of its packets is for conntrack or for a limit to see. */
function isSlow({ protocol, limits, options }: Listener): boolean {
  return options.idleSeconds < LEAST_IDLE_SECONDS || (protocol === 'UDP' && (limits?.packetsPerSecond ?? 0) > 0);
}

/** What has to stay of a rule that leads nobody any more, while connections of it live: its name, counters, time-outs. */
export function drainingContents({ elements }: Contents): Contents {
  return { ...NONE, elements: new Map([...elements].filter(([, { set }]) => REMAINS.has(set))) };
}

const REMAINS = new Set<SetName>(['rules', 'settings', 'fresh', 'told', 'seen4', 'seen6', 'slow']);

/** Who may get a new connection: those of the lowest tier, and with persistence whoever a client had. */
function takersOf({ targets, persistSeconds }: Listener, family: Family): Target[] {
  const usable = targets.filter(({ address, weight }) => weight > 0 && familyOf(address) === family);
  const lowest = Math.min(...usable.map(({ tier }) => tier));
  return persistSeconds > 0 ? usable : usable.filter(({ tier }) => tier === lowest);
}

type Put = (set: SetName, key: string, data?: string) => void;

/** All ports go to one; each stays as it is; each goes to another one. */
type PortKind = 'one' | 'keep' | 'shift';

function portKind({ ports, originPorts }: Listener): PortKind {
  if (spanSize(originPorts) === 1) return 'one';
  return ports.every(({ from }) => originPort(ports, originPorts, from) === from) ? 'keep' : 'shift';
}

function putEntry({ protocol, ports }: Listener, entry: string, rule: string, put: Put): void {
  const family = familyOf(entry);
  for (const { from, to } of ports) {
    const at = `${entry} . ${protocol.toLowerCase()}`;
    if (from === to) put(`entry${family}`, `${at} . ${from}`, rule);
    else put(`span${family}`, `${at} . ${from}-${to}`, rule);
  }
}

function putShift({ ports, originPorts }: Listener, rule: string, put: Put): void {
  for (const { from, to } of ports)
    for (let port = from; port <= to; port++)
      put('shift', `${rule} . ${port}`, `${originPort(ports, originPorts, port)}`);
}

function putTarget(listener: Listener, { address }: Target, mark: string, put: Put): void {
  const family = familyOf(address);
  if (portKind(listener) === 'one') put(`to${family}`, mark, `${address} . ${listener.originPorts.from}`);
  else put(`host${family}`, mark, address);
}

/**
 * The counts of a turn as elements of a map that all rules share, so that there is not one more set per rule: the kernel looks
 * through all its sets for every new one. `undefined`: too many counts for that.
 */
function putTurn(
  runs: readonly Share[],
  index: number,
  family: Family,
  markOfTarget: (share: Share) => string,
  put: Put,
): string | undefined {
  const turn = (runs.at(-1)?.to ?? 0) + 1;
  if (turn > MOST_TURN) return undefined;
  const first = rotationKey(index);
  for (const run of runs)
    for (let count = run.from; count <= run.to; count++) put(`turns${family}`, `${first + count}`, markOfTarget(run));
  return `ct mark set numgen inc mod ${turn} offset ${first} map @turns${family}`;
}

/** A long turn, as intervals in a set of its own. */
function pickLine(runs: readonly Share[], markOfTarget: (share: Share) => string): string {
  const turn = (runs.at(-1)?.to ?? 0) + 1;
  const marks = runs.map((run) => `${run.from === run.to ? run.from : `${run.from}-${run.to}`} : ${markOfTarget(run)}`);
  return `ct mark set numgen inc mod ${turn} map { ${marks.join(', ')} }`;
}

/**
 * Whom this client had last, if that one is still a target; else whose turn it is. `reach` ends the way where the mark leads
 * to a target. order: compile.ts knows these lines by heart; one that it does not know is slower to write.
 */
function turnLines(pick: string, reach: string, family: Family, kept: string, seconds: number): string[] {
  if (seconds === 0) return [pick, reach];
  const client = family === 4 ? 'ip saddr' : 'ip6 saddr';
  const keep = `update @${kept} { ${client} timeout ${seconds}s : ct mark }`;
  return [
    `ct mark set ${client} map @${kept}`,
    `ct mark & ${hex(MOST_SLOTS)} != 0 ${keep}`,
    reach,
    // order: `update` makes a kept one younger, never another; so one that is gone must go first.
    `delete @${kept} { ${client} : ct mark }`,
    pick,
    keep,
    reach,
  ];
}
