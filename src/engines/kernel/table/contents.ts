/**
 * What one rule has in the table: elements of the shared sets, and for a rule with several targets a chain of its own that
 * picks one. Pure; a change is the difference of two of these (linux/nft/transaction.ts). Called for every applied rule.
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
import { type PartOf, rotationOf, type Run } from './rotation.ts';
import { type Contents, type Element, type Family, familyOf, NO_CONTENTS, type SetName } from './sets.ts';

/** Where in the table the rule is. */
export interface Place {
  /** As in its marks (marks.ts). The first is the rule's name in the table. */
  readonly indices: readonly number[];
  /** Target address → slot, for every target. */
  readonly slots: ReadonlyMap<string, number>;
  /** Name of its settings: settings.ts. */
  readonly settings: string;
}

/** limit: 100 KB in the kernel; 1,000 origins that weigh the same. */
const LONGEST_ROTATION = 1024;

interface Draft extends Contents {
  readonly elements: Map<string, Element>;
  readonly chains: Map<string, readonly string[]>;
  readonly maps: Map<string, string>;
}

export function contentsOf(listener: Listener, place: Place, partOf?: PartOf): Contents {
  const fixed: Draft = { elements: new Map(), chains: new Map(), maps: new Map() };
  const put = putInto(fixed);
  const [index = 0] = place.indices;
  const pages = place.indices.map((one) => hex(markOf(one)));
  for (const [page, key] of pages.entries()) {
    put('rules', key, '', `${listener.id} ${listener.proxy}${page > 0 ? ` ${page}` : ''}`);
    put('fresh', key);
    put('told', key);
    put('settings', key, `jump ${place.settings}`);
    if (isSlow(listener)) put('slow', key);
  }
  for (const entry of listener.entries) putEntry(listener, entry, hex(markOf(index)), put);
  if (portKind(listener) === 'shift') for (const page of pages) putShift(listener, page, put);
  for (const family of familiesOf(listener))
    for (const page of pages)
      // With its protocol as a comment: a rule that changes it gets a new counter.
      for (const way of ['original', 'reply']) put(`seen${family}`, `${page} . ${way}`, '', listener.protocol);
  return turned(fixed, listener, place, partOf);
}

/** The same contents with targets as they are now. Of thousands of rules all that stays is not made again. */
export function turned(before: Contents, listener: Listener, place: Place, partOf: PartOf = () => 1): Contents {
  const draft: Draft = { elements: new Map(), chains: new Map(), maps: new Map() };
  for (const [key, element] of before.elements) if (!OF_TARGETS.has(element.set)) draft.elements.set(key, element);
  for (const family of familiesOf(listener)) putTargets(listener, place, family, partOf, draft);
  return draft;
}

const familiesOf = ({ entries }: Listener): ReadonlySet<Family> => new Set(entries.map(familyOf));

const OF_TARGETS = new Set<SetName>(
  ([4, 6] as const).flatMap((family) => [
    'refused' as const,
    `to${family}` as const,
    `host${family}` as const,
    `more${family}` as const,
    `counts${family}` as const,
  ]),
);

/**
 * Where connections of one family go: nowhere, to the only target, or by the rule's own chain to one of several.
 * order: which of these it is says the rule, not how its targets are. A chain that goes takes the map of clients along, and
 * thousands that go or come at once take the kernel minutes.
 */
function putTargets(listener: Listener, place: Place, family: Family, partOf: PartOf, draft: Draft): void {
  const put = putInto(draft);
  const rule = hex(markOf(place.indices[0] ?? 0));
  const usable = listener.targets.filter(({ address, weight }) => weight > 0 && familyOf(address) === family);
  if (usable.length === 0) return put('refused', rule);
  if (takesTurns(listener, usable)) return putTurns(listener, place, family, { usable, partOf }, draft);
  const [run] = rotationOf(usable, partOf);
  const kind = portKind(listener);
  putTarget(listener, run!, rule, put);
  if (kind !== 'one') put(`more${family}`, rule, `goto ${kind}${family}`);
}

/** More than one target of a tier may take a client, or with persistence a client's own one of any tier. */
function takesTurns({ persistSeconds }: Listener, usable: readonly Target[]): boolean {
  const tiers = new Set(usable.map(({ tier }) => tier));
  return usable.length > (persistSeconds > 0 ? 1 : tiers.size);
}

function putTurns(
  listener: Listener,
  { indices, slots }: Place,
  family: Family,
  { usable, partOf }: { readonly usable: readonly Target[]; readonly partOf: PartOf },
  draft: Draft,
): void {
  const put = putInto(draft);
  const [index = 0] = indices;
  const { persistSeconds, options } = listener;
  const kind = portKind(listener);
  const markOfTarget = ({ address }: { readonly address: string }): string =>
    hex(markAt(indices, slots.get(address) ?? 0));
  // A client is not led to its own target where that is shut: its mark leads nowhere.
  const open = usable.filter((target) => partOf(target) > 0);
  const takers = persistSeconds > 0 && open.length > 0 ? open : usable;
  for (const target of takers) putTarget(listener, target, markOfTarget(target), put);
  const chain = `turn-${index}-${family}`;
  const kept = `kept-${index}-${family}`;
  put(`more${family}`, hex(markOf(index)), `goto ${chain}`);
  const runs = rotationOf(usable, partOf, options.slowStartSeconds > 0);
  const pick = putRotation(runs, index, family, markOfTarget, put) ?? [pickLine(runs, markOfTarget)];
  draft.chains.set(chain, pickLines(pick, `jump ${kind}${family}`, family, kept, persistSeconds));
  if (persistSeconds > 0)
    draft.maps.set(kept, `{ type ipv${family}_addr : mark; size ${MOST_REMEMBERED_CLIENTS}; flags dynamic,timeout; }`);
}

/** The address of the target that has this mark; undefined: none, or nothing new goes there. */
export function leadsTo({ elements }: Contents, mark: number): string | undefined {
  const sets = ['to4', 'host4', 'to6', 'host6'] as const;
  const [data] = sets.flatMap((set) => elements.get(`${set} ${hex(mark)}`)?.data ?? []);
  return data?.split(' ')[0];
}

/** limit: conntrack hears of a connection on the fast path once a second. */
const LEAST_IDLE_SECONDS = 3;

/** conntrack or a limit must see each of its packets, so the fast path carries none. */
function isSlow({ protocol, limits, options }: Listener): boolean {
  return options.idleSeconds < LEAST_IDLE_SECONDS || (protocol === 'UDP' && (limits?.packetsPerSecond ?? 0) > 0);
}

/** What stays of a rule that takes no new connections, while connections of it live: its name, counters, time-outs. */
export function drainingContents({ elements }: Contents): Contents {
  return { ...NO_CONTENTS, elements: new Map([...elements].filter(([, { set }]) => OF_DRAINING.has(set))) };
}

const OF_DRAINING = new Set<SetName>(['rules', 'settings', 'fresh', 'told', 'seen4', 'seen6', 'slow']);

type Put = (set: SetName, key: string, data?: string, comment?: string) => void;

function putInto({ elements }: Draft): Put {
  return (set, key, data = '', comment) =>
    void elements.set(`${set} ${key}`, { set, key, data, ...(comment !== undefined && { comment }) });
}

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

function putTarget(listener: Listener, { address }: { readonly address: string }, mark: string, put: Put): void {
  const family = familyOf(address);
  if (portKind(listener) === 'one') put(`to${family}`, mark, `${address} . ${listener.originPorts.from}`);
  else put(`host${family}`, mark, address);
}

/**
 * The counts of a rotation as elements of a map that all rules share, so that there is not one more set per rule: the kernel
 * looks through all its sets for every new one. `undefined`: too many counts for that.
 */
function putRotation(
  runs: readonly Run[],
  index: number,
  family: Family,
  markOfTarget: (run: Run) => string,
  put: Put,
): string[] | undefined {
  const length = (runs.at(-1)?.to ?? 0) + 1;
  if (length > LONGEST_ROTATION) return undefined;
  const first = rotationKey(index);
  for (const run of runs)
    for (let count = run.from; count <= run.to; count++) put(`counts${family}`, hex(first + count), markOfTarget(run));
  return [`ct mark set numgen inc mod ${length} offset ${first}`, `jump counted${family}`];
}

/** A long rotation, as intervals in a set of its own. */
function pickLine(runs: readonly Run[], markOfTarget: (run: Run) => string): string {
  const length = (runs.at(-1)?.to ?? 0) + 1;
  const marks = runs.map((run) => `${run.from === run.to ? run.from : `${run.from}-${run.to}`} : ${markOfTarget(run)}`);
  return `ct mark set numgen inc mod ${length} map { ${marks.join(', ')} }`;
}

/**
 * The target that this client had last, if it still is one; else the next of the rotation. `leave` ends the way where the
 * mark leads to a target. order: encode.ts knows these lines by their text; nft takes longer to write one that it does not.
 */
function pickLines(pick: readonly string[], leave: string, family: Family, kept: string, seconds: number): string[] {
  if (seconds === 0) return [...pick, leave];
  const client = family === 4 ? 'ip saddr' : 'ip6 saddr';
  const keep = `update @${kept} { ${client} timeout ${seconds}s : ct mark }`;
  return [
    `ct mark set ${client} map @${kept}`,
    `ct mark & ${hex(MOST_SLOTS)} != 0 ${keep}`,
    leave,
    // order: `update` gives a kept target more time and never another mark; so one that is gone must go first.
    `delete @${kept} { ${client} : ct mark }`,
    ...pick,
    keep,
    leave,
  ];
}
