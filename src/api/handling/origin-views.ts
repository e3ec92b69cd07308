/**
 * Origins as edges see them, one view of each: for answers. Facts are found by zone and host, so that a view of some looks at no
 * others. It reads no record. Called by handlers, and by rule-origins.ts.
 */
import type { OriginFact, OriginState } from '../../domain/fact/health.ts';
import type { FoundOrigin } from '../../facts/readers.ts';
import type { Tx } from './transaction.ts';

export interface OriginView {
  /**
   * What all edges say alike (its zone, host, group …), and the newest word: of those that do not have it up, or of all. Edges that
   * found out themselves can say why, so theirs goes before that of edges that heard of it.
   */
  readonly word: OriginFact;
  /** `mixed`: up at some of its edges. */
  readonly state: OriginState | 'mixed';
  /** Of the edges that are alive, or of all while none is; those that do not have it up come first, with their finders before all. */
  readonly edges: readonly FoundOrigin[];
  readonly up: number;
}

/** One origin at its edges; not empty. */
type AtEdges = readonly FoundOrigin[];

/** All the zone's, or those that records name so, a list for each. A view is for those that are shown: there may be 50,000. */
export function originsAt({ around }: Pick<Tx, 'around'>, zone: string, hosts?: Iterable<string>): AtEdges[] {
  const { origins } = around.facts;
  const found = hosts ? [...hosts].flatMap((host) => origins.find({ zone, host })) : origins.find({ zone });
  return [...Map.groupBy(found, ({ origin }) => origin.key).values()];
}

export function viewOf(found: AtEdges): OriginView {
  const alive = found.filter(({ isAlive }) => isAlive);
  const {
    up = [],
    finders = [],
    hearers = [],
  } = Object.groupBy(alive.length > 0 ? alive : found, ({ origin: { state, by } }) =>
    state === 'up' ? 'up' : by === 'fleet' ? 'hearers' : 'finders',
  );
  const others = [...finders, ...hearers];
  const telling = [finders, hearers, up].find((some) => some.length > 0) ?? [];
  const word = telling.map(({ origin }) => origin).reduce((newest, one) => (one.since > newest.since ? one : newest));
  const isMixed = up.length > 0 && others.length > 0;
  const state = others.every(({ origin }) => origin.state === word.state) ? word.state : 'down';
  return { word, state: isMixed ? 'mixed' : state, edges: [...others, ...up], up: up.length };
}

/** What tells origins of a zone at one address apart, as on an edge (edge/origins/numbers.ts). */
interface Kind extends Pick<OriginFact, 'group' | 'check' | 'passive' | 'slowStartSeconds'> {
  readonly protocol: string;
  readonly ports: string;
}

export function kindText({ protocol, ports, group, check, passive, slowStartSeconds }: Kind): string {
  return [protocol, ports, group, check, passive, slowStartSeconds].join('\n');
}

export function kindOf({ word }: OriginView): string {
  const [, protocol = '', ports = ''] = /^(\w+) .*:([\d-]+)$/.exec(word.origin) ?? [];
  return kindText({ ...word, protocol, ports });
}

export function dialsOf({ edges }: OriginView): number {
  return edges.reduce((sum, { origin }) => sum + origin.dials, 0);
}
