/** An origin with its state, as EdgeFourDescribeOrigins shows it: summed up, and as edges see it. */
import { ORIGIN_STATES, type OriginFact, STATE_CAUSES } from '../../domain/fact/health.ts';
import type { SetOriginState } from '../../domain/origin-group/origin-state.ts';
import type { FoundOrigin } from '../../facts/readers.ts';
import { boolean, float, type Infer, list, object, oneOf, optional, string, unsigned } from '../../shape/shape.ts';
import { cloudTime } from '../../shape/time.ts';
import type { OriginView } from '../handling/origin-views.ts';

/** limit: ours; those that do not have it up come first. */
const MOST_EDGES = 10;

const ORIGIN_WORDS = [...ORIGIN_STATES, 'mixed'] as const;
export const ORIGIN_WORD = {
  State: oneOf(
    ORIGIN_WORDS,
    'up; down: nothing new goes there while another origin of the rule is up; try: one connection decides; mixed: up at some edges.',
  ),
  SinceTime: string('Since when.', { format: 'time' }),
  By: oneOf(
    STATE_CAUSES,
    "Whose word it is: its check's, that of traffic, an operator's, or that of other edges' checks.",
  ),
  Reason: string('Why, in words.'),
};

const PROBES = object(
  {
    P50Ms: float('Half of them took at most so long, in milliseconds; of several edges the slowest.'),
    P99Ms: float('99 in 100 did.'),
    Tries: unsigned('How many there were.'),
  },
  'What its probes took since the edge started, as it told half a minute ago or less.',
);

const ORIGIN_EDGE = object(
  {
    EdgeId: string('Edge ID.'),
    Site: string('Its site.'),
    Alive: boolean('Whether it reports; else this is what it said last.'),
    ...ORIGIN_WORD,
    State: oneOf(ORIGIN_STATES, 'up, down or try.'),
    Changes: unsigned('How often it went out of use or came back since the edge started.'),
    Dials: unsigned(
      'How many connections to it were made since the edge started, as it told half a minute ago or less.',
    ),
    Probes: optional(PROBES),
  },
  'An origin as one edge sees it.',
);

const BY_HAND = object(
  {
    State: oneOf(['drain', 'up'], 'What it was set to.'),
    UntilTime: optional(string('Until when; absent: until it is set again.', { format: 'time' })),
  },
  'What an operator set it to, by EdgeFourSetOriginState.',
);

export const ORIGIN = object(
  {
    ZoneId: string('Zone ID.'),
    Origin: string('Protocol, address and port or range, such as `TCP 198.51.100.1:443`.'),
    Host: string('As rules or groups name it.'),
    OriginGroupId: string('Its origin group; empty where rules name it.'),
    CheckedFor: string('ID of the rule, load balancer or origin group that has it checked; empty where none does.'),
    ...ORIGIN_WORD,
    Rules: unsigned('How many rules lead there.'),
    Share: optional(
      unsigned('Percent of the connections that its group took at this protocol and port; absent below 100.'),
    ),
    Changes: unsigned('How often it went out of use or came back, at all edges.'),
    Dials: unsigned('How many connections to it were made, at all edges.'),
    Probes: optional(PROBES),
    ByHand: optional(BY_HAND),
    EdgeCount: unsigned('How many edges lead there.'),
    UpCount: unsigned('How many of them have it up.'),
    Edges: list(ORIGIN_EDGE, `These edges; at most ${MOST_EDGES}, first those that do not have it up.`),
  },
  'An origin.',
);

export function showOrigin(
  { word, state, edges, up }: OriginView,
  byHand: SetOriginState | undefined,
  share: number | undefined,
): Infer<typeof ORIGIN.fields> {
  const facts = edges.map(({ origin }) => origin);
  return {
    ZoneId: word.zone,
    Origin: word.origin,
    Host: word.host,
    OriginGroupId: word.group,
    CheckedFor: word.check,
    ...showWord(word),
    State: state,
    Rules: Math.max(...facts.map(({ rules }) => rules)),
    ...(share !== undefined && { Share: share }),
    Changes: total(facts, 'changes'),
    Dials: total(facts, 'dials'),
    ...showProbes(facts),
    ...(byHand && { ByHand: showByHand(byHand) }),
    EdgeCount: edges.length,
    UpCount: up,
    Edges: edges.slice(0, MOST_EDGES).map(showEdge),
  };
}

function showEdge({ edge, site, isAlive, origin }: FoundOrigin): Infer<typeof ORIGIN_EDGE.fields> {
  const { changes, dials } = origin;
  return {
    EdgeId: edge,
    Site: site,
    Alive: isAlive,
    ...showWord(origin),
    Changes: changes,
    Dials: dials,
    ...showProbes([origin]),
  };
}

export function showWord({ state, since, by, reason }: OriginFact) {
  return { State: state, SinceTime: cloudTime(since), By: by, Reason: reason };
}

function showProbes(facts: readonly OriginFact[]): { readonly Probes?: Infer<typeof PROBES.fields> } {
  const probes = facts.flatMap(({ probe }) => (probe && probe.tries > 0 ? probe : []));
  if (probes.length === 0) return {};
  const slowest = (of: 'p50Ms' | 'p99Ms'): number =>
    Math.round(Math.max(...probes.map((probe) => probe[of])) * 1_000) / 1_000;
  const Tries = probes.reduce((sum, { tries }) => sum + tries, 0);
  return { Probes: { P50Ms: slowest('p50Ms'), P99Ms: slowest('p99Ms'), Tries } };
}

function showByHand({ state, until }: SetOriginState): Infer<typeof BY_HAND.fields> {
  return { State: state === 'down' ? 'drain' : state, ...(until !== undefined && { UntilTime: cloudTime(until) }) };
}

function total(facts: readonly OriginFact[], of: 'changes' | 'dials'): number {
  return facts.reduce((sum, fact) => sum + fact[of], 0);
}
