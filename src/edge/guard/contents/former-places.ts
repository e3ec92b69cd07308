/**
 * The limits of a place that a rule has left, or where it was switched off, as long as an engine may still serve it there:
 * without them the place would be open for a moment. Whatever leads somewhere else from there goes first. Pure; called by
 * contents.ts.
 */
import type { Element } from '../../../linux/nft/transaction.ts';
import type { MapName } from '../layout.ts';
import type { LimitedRule } from './limited-rule.ts';
import { leadKey, type Pieces } from './pieces.ts';

type Lead = Element<MapName>;
type Place = Pick<LimitedRule, 'entries' | 'ports' | 'protocol'>;

interface Span {
  readonly from: number;
  readonly to: number;
}

export function isSamePlace(a: Place, b: Place): boolean {
  return placeText(a) === placeText(b);
}

function placeText({ entries, ports, protocol }: Place): string {
  return JSON.stringify([entries, ports.map(({ from, to }) => [from, to]), protocol]);
}

/** By map, entry and protocol: the ports from which rules lead from now on. */
export class UsedPlaces {
  readonly #spans = new Map<string, Span[]>();

  add(leads: Iterable<Lead>): void {
    for (const lead of leads) {
      const { where, span } = read(lead);
      const known = this.#spans.get(where);
      if (known) known.push(span);
      else this.#spans.set(where, [span]);
    }
  }

  /** The lead without the ports that are in use. */
  without(lead: Lead): Lead[] {
    const { where, span } = read(lead);
    const used = this.#spans.get(where)?.filter(({ from, to }) => from <= span.to && span.from <= to) ?? [];
    if (used.length === 0) return [lead];
    const free: Span[] = [];
    let { from } = span;
    for (const one of used.toSorted((a, b) => a.from - b.from)) {
      if (one.from > from) free.push({ from, to: one.from - 1 });
      from = Math.max(from, one.to + 1);
    }
    if (from <= span.to) free.push({ from, to: span.to });
    return free.map((one) => cut(lead, one));
  }
}

function read({ set, key }: Lead): { readonly where: string; readonly span: Span } {
  const at = key.lastIndexOf(' ');
  const [from = 0, to = from] = key
    .slice(at + 1)
    .split('-')
    .map(Number);
  return { where: `${set} ${key.slice(0, at)}`, span: { from, to } };
}

/** A single port is in the map of those. */
function cut({ set, key, data }: Lead, { from, to }: Span): Lead {
  const before = key.slice(0, key.lastIndexOf(' ') + 1);
  if (from === to) return { set: set.replace('-span', '') as MapName, key: `${before}${from}`, data };
  return { set, key: `${before}${from}-${to}`, data };
}

/** The pieces, less the leads of places in use. Undefined: nothing leads to them any more. */
export function formerPieces(pieces: Pieces, used: UsedPlaces): Pieces | undefined {
  const leads = new Map<string, Lead>();
  for (const lead of pieces.leads.values()) for (const one of used.without(lead)) leads.set(leadKey(one), one);
  return leads.size === 0 ? undefined : { ...pieces, leads };
}

/** Both are there; `own` leads where both would. */
export function joined(former: Pieces | undefined, own: Pieces | undefined): Pieces | undefined {
  if (!former || !own) return own ?? former;
  return {
    counters: former.counters.union(own.counters),
    meters: new Map([...former.meters, ...own.meters]),
    chains: new Map([...former.chains, ...own.chains]),
    leads: new Map([...former.leads, ...own.leads]),
    reads: former.reads.union(own.reads),
  };
}
