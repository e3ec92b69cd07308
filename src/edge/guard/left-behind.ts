/**
 * What leads to the limits of a place that a rule has left, or that was switched off, as long as an engine may still serve
 * it there: without it the place would be open for a moment. Whatever leads somewhere else from there goes first. Pure.
 */
import type { Element } from '../../linux/nft/transaction.ts';
import type { MapName } from './layout.ts';
import type { LimitedRule, Pieces } from './pieces.ts';

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

/** By map, entry and protocol: where rules lead from now on. */
export class Claims {
  readonly #spans = new Map<string, Span[]>();

  add(leads: Iterable<Lead>): void {
    for (const lead of leads) {
      const { where, span } = read(lead);
      const known = this.#spans.get(where);
      if (known) known.push(span);
      else this.#spans.set(where, [span]);
    }
  }

  /** What of it nobody has claimed. */
  rest(lead: Lead): Lead[] {
    const { where, span } = read(lead);
    const claims = this.#spans.get(where)?.filter(({ from, to }) => from <= span.to && span.from <= to) ?? [];
    if (claims.length === 0) return [lead];
    const left: Span[] = [];
    let { from } = span;
    for (const claim of claims.toSorted((a, b) => a.from - b.from)) {
      if (claim.from > from) left.push({ from, to: claim.from - 1 });
      from = Math.max(from, claim.to + 1);
    }
    if (from <= span.to) left.push({ from, to: span.to });
    return left.map((one) => cut(lead, one));
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

/** Undefined: nothing leads there any more. */
export function leftBehind(pieces: Pieces, claims: Claims): Pieces | undefined {
  const leads = new Map<string, Lead>();
  for (const lead of pieces.leads.values())
    for (const one of claims.rest(lead)) leads.set(`${one.set} ${one.key}`, one);
  return leads.size === 0 ? undefined : { ...pieces, leads };
}

/** Both are there; `own` leads where both would. */
export function joined(left: Pieces | undefined, own: Pieces | undefined): Pieces | undefined {
  if (!left || !own) return own ?? left;
  return {
    counters: left.counters.union(own.counters),
    meters: new Map([...left.meters, ...own.meters]),
    chains: new Map([...left.chains, ...own.chains]),
    leads: new Map([...left.leads, ...own.leads]),
    reads: left.reads.union(own.reads),
  };
}
