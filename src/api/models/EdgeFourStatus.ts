/** How things really are, as EdgeFourDescribeStatus shows it: edges, instances, and each rule with its engine and why. */
import { type EdgesBySite, silenceNotes, waitNotes } from '../../domain/liveness.ts';
import { notesOf } from '../../domain/l4-proxy/notes.ts';
import { AREAS, type L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import type { L4Rule, RuleOptions } from '../../domain/l4-rule/l4-rule.ts';
import { MODE_NAMES, PROTOCOLS } from '../../domain/l4-rule/modes.ts';
import { DRAIN_WAYS } from '../../domain/l4-rule/options.ts';
import type { Site } from '../../domain/site/site.ts';
import type { Stamp } from '../../domain/stamp.ts';
import { PROXY_STATUSES, proxyStatus, RULE_STATUSES, ruleStatus } from '../../domain/status.ts';
import type { Zone } from '../../domain/zone/zone.ts';
import { cloudTime } from '../../shape/time.ts';
import { boolean, type Infer, list, object, oneOf, onOff, optional, string, unsigned } from '../../shape/shape.ts';
import type { EdgeFact, Placement } from '../../facts/readers.ts';
import type { OriginView } from '../handling/origin-views.ts';
import type { Surroundings } from '../handling/transaction.ts';
import { OWN_HEALTH_CHECKER, showOwnChecker } from './EdgeFourHealthChecker.ts';
import { ORIGIN_WORD, showWord } from './EdgeFourOrigin.ts';

const WANTS = ['online', 'offline'] as const;
const FAILURES = list(string('`edge: reason`.'), 'Why edges could not apply it.');

export const EDGE_STATUS = object(
  {
    EdgeId: string('Edge ID.'),
    Site: string('The site whose entry addresses it holds.'),
    Alive: boolean('Whether it reports.'),
    AppliedRevision: unsigned('The revision it has applied.'),
    SeenTime: string('When it last reported.', { format: 'time' }),
    Version: string('Its version.'),
    Engines: list(string('Engine.'), 'The engines it can use.'),
    Alarms: list(string('One line.'), 'What is wrong with the edge itself.'),
  },
  'An edge.',
);

const PLACEMENT = object(
  {
    EdgeId: string('Edge ID.'),
    Engine: string('The engine that forwards the rule there.'),
    Why: string('Why this engine.'),
    Failure: string('Why the rule is not applied there; empty where it is.'),
    Unresolved: list(string('Name.'), 'Names of its origins that have no address there: who connects is refused.'),
  },
  'A rule on an edge.',
);

const RULE_OPTIONS = object(
  {
    Drain: optional(oneOf(DRAIN_WAYS, 'What a change does to live connections.')),
    DrainSeconds: optional(unsigned('How long `drain` waits.')),
    ConnectTimeoutMs: optional(unsigned('Until a silent origin is given up.')),
    IdleSeconds: optional(unsigned('Until a silent connection ends.')),
    UdpHeader: optional(string('Which datagrams of a UDP session carry the header of PPV2: `first` or `each`.')),
    Records: optional(string('Connection records: all, off, or one in N.')),
    Unhealthy: optional(oneOf(DRAIN_WAYS, 'What becomes of TCP connections of an origin that went down.')),
    Passive: optional(onOff('Whether dials that fail take an origin out of use.')),
    KernelUnchecked: optional(onOff('Whether the kernel engine may serve several origins that are not checked.')),
    SlowStartSeconds: optional(unsigned('Until an origin that came back has its whole share.')),
  },
  "What of EdgeFour's own options is set; the rest is default.",
);

/** limit: ours; how many more there are follows from the counts. */
const MOST_ORIGINS = 10;

const ORIGIN_NOT_UP = object(
  {
    Origin: string('Protocol, address and port or range.'),
    Host: string('As the rule or its groups name it.'),
    ...ORIGIN_WORD,
    EdgeCount: unsigned('How many edges lead there.'),
    UpCount: unsigned('How many of them have it up.'),
  },
  'An origin that some edge does not have up.',
);

const RULE_ORIGINS = object(
  {
    Count: unsigned('How many there are: addresses, where a name stands for several.'),
    UpCount: unsigned('How many of them are up at all edges.'),
    NotUp: list(ORIGIN_NOT_UP, `The others; at most ${MOST_ORIGINS}.`),
  },
  'Its origins as edges see them.',
);

const RULE_STATUS = object(
  {
    RuleId: string('Rule ID.'),
    RuleTag: string('Tag; empty where there is none.'),
    Protocol: oneOf(PROTOCOLS, 'Protocol.'),
    PortRange: list(string('Port or range.'), 'Forwarding ports.'),
    OriginValue: list(string('Origin.'), 'Origins, or the id of what holds them.'),
    OriginPortRange: string('Origin port or range.'),
    ClientIPPassThroughMode: oneOf(MODE_NAMES, 'How the client address reaches the origin.'),
    Options: RULE_OPTIONS,
    Checker: optional({ ...OWN_HEALTH_CHECKER, description: 'Its own health check, where it has one.' }),
    Status: oneOf(RULE_STATUSES, 'Status.'),
    Want: oneOf(WANTS, 'What its owner wants.'),
    Placements: list(PLACEMENT, 'Where it is, by edge.'),
    Failures: FAILURES,
    Origins: optional(RULE_ORIGINS),
  },
  'A rule.',
);

const SITE_ENTRY = object(
  {
    Site: string('Site.'),
    Addresses: list(string('IP address.'), 'Entry addresses.'),
  },
  'The entry addresses at a site.',
);

export const INSTANCE_STATUS = object(
  {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    ProxyName: string('Instance name.'),
    Area: oneOf(AREAS, 'Area.'),
    Status: oneOf(PROXY_STATUSES, 'Status.'),
    Want: oneOf(WANTS, 'What its owner wants.'),
    Entries: list(SITE_ENTRY, 'Entry addresses by site.'),
    Notes: list(string('One sentence.'), 'What else to know.'),
    Failures: FAILURES,
    Rules: list(RULE_STATUS, 'Its rules.'),
  },
  'An instance.',
);

export function showEdge(edge: EdgeFact): Infer<typeof EDGE_STATUS.fields> {
  return {
    EdgeId: edge.id,
    Site: edge.site,
    Alive: edge.alive,
    AppliedRevision: edge.applied,
    SeenTime: cloudTime(edge.seenAt),
    Version: edge.version,
    Engines: [...edge.engines],
    Alarms: [...edge.alarms],
  };
}

export function showInstance(
  proxy: L4Proxy,
  zone: Zone,
  sites: readonly Site[],
  edges: EdgesBySite,
  { facts: { acks } }: Pick<Surroundings, 'facts'>,
  origins: { readonly changed: (rule: L4Rule) => Stamp; readonly of: (rule: L4Rule) => readonly OriginView[] },
): Infer<typeof INSTANCE_STATUS.fields> {
  const placements = Map.groupBy(acks.placements(proxy.rules.map(({ id }) => id)), ({ rule }) => rule);
  const showRule = (rule: L4Rule) => ({
    RuleId: rule.id,
    RuleTag: rule.tag ?? '',
    Protocol: rule.protocol,
    PortRange: [...rule.portRange],
    OriginValue: [...rule.originValue],
    OriginPortRange: rule.originPortRange,
    ClientIPPassThroughMode: rule.mode ?? 'OFF',
    Options: showOptions(rule.options),
    ...(rule.checker && { Checker: showOwnChecker(rule.checker) }),
    Status: ruleStatus(proxy, rule, zone, acks, origins.changed(rule)),
    Want: rule.want,
    Placements: (placements.get(rule.id) ?? []).map(showPlacement),
    Failures: [...acks.failures(rule.id)],
    ...(rule.want === 'online' && proxy.want === 'online' && showOrigins(origins.of(rule))),
  });
  const Rules = proxy.rules.map(showRule);
  const Status = proxyStatus(proxy, zone, acks);
  const isMoving = [Status, ...Rules.map((rule) => rule.Status)].some(
    (one) => one === 'progress' || one === 'stopping',
  );
  const revision = Math.max(zone.changed, proxy.changed, ...proxy.rules.map(({ changed }) => changed));
  return {
    ZoneId: proxy.zone,
    ProxyId: proxy.id,
    ProxyName: proxy.name,
    Area: proxy.area,
    Status,
    Want: proxy.want,
    Entries: Object.entries(proxy.entries).map(([Site, { v4, v6 }]) => ({
      Site,
      Addresses: [v4, v6].filter((address) => address !== undefined),
    })),
    Notes: [
      ...notesOf(proxy, zone, sites),
      ...silenceNotes(proxy, edges),
      ...(isMoving ? waitNotes(proxy, revision, sites, edges) : []),
    ],
    Failures: [...acks.failures(proxy.id)],
    Rules,
  };
}

function showOrigins(origins: readonly OriginView[]): { readonly Origins?: Infer<typeof RULE_ORIGINS.fields> } {
  if (origins.length === 0) return {};
  const others = origins.filter(({ state }) => state !== 'up');
  const NotUp = others.slice(0, MOST_ORIGINS).map((origin) => ({
    Origin: origin.word.origin,
    Host: origin.word.host,
    ...showWord(origin.word),
    State: origin.state,
    EdgeCount: origin.edges.length,
    UpCount: origin.up,
  }));
  return { Origins: { Count: origins.length, UpCount: origins.length - others.length, NotUp } };
}

function showOptions(options: RuleOptions = {}): Infer<typeof RULE_OPTIONS.fields> {
  const { drain, connectTimeoutMs, idleSeconds, udpHeader, records } = options;
  const { unhealthy, passive, kernelUnchecked, slowStartSeconds } = options;
  return {
    ...(drain && { Drain: drain.how, DrainSeconds: drain.seconds }),
    ...(connectTimeoutMs !== undefined && { ConnectTimeoutMs: connectTimeoutMs }),
    ...(idleSeconds !== undefined && { IdleSeconds: idleSeconds }),
    ...(udpHeader !== undefined && { UdpHeader: udpHeader }),
    ...(records !== undefined && { Records: `${records}` }),
    ...(unhealthy !== undefined && { Unhealthy: unhealthy }),
    ...(passive !== undefined && { Passive: passive }),
    ...(kernelUnchecked !== undefined && { KernelUnchecked: kernelUnchecked }),
    ...(slowStartSeconds !== undefined && { SlowStartSeconds: slowStartSeconds }),
  };
}

function showPlacement({ edge, engine, why, failure, unresolved }: Placement): Infer<typeof PLACEMENT.fields> {
  return { EdgeId: edge, Engine: engine, Why: why, Failure: failure, Unresolved: [...unresolved] };
}
