/**
 * The cloud's L4ProxyRule, which is one structure with three uses: new rules need most fields, changed rules only their
 * id, and shown rules carry a status. Texts come back exactly as they were sent; what was not sent comes back with its
 * default, or not at all (see Defaults).
 */
import { ORIGIN_TYPES, type L4Rule } from '../../domain/l4-rule/l4-rule.ts';
import type { RuleDraft } from '../../domain/l4-rule/check.ts';
import { MODE_NAMES, PROTOCOLS } from '../../domain/l4-rule/modes.ts';
import { RULE_STATUSES, type RuleStatus } from '../../domain/status.ts';
import { type Fault, refuse } from '../../faults/fault.ts';
import type { Defaults } from '../handling/transaction.ts';
import {
  type Fields,
  type Infer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  string,
  unsigned,
} from '../../shape/shape.ts';

/** limit: elements of PortRange; the cloud's older API allowed as many ports per rule. A range is one element. */
const MOST_PORT_RANGES = 20;
/** limit: origins of one rule; more belong into an origin group. */
const MOST_ORIGINS = 100;
/** limit: spec section 17. */
const MOST_TAG = 50;
/** limit: rules in one call; spec section 17. */
export const MOST_RULES_PER_CALL = 200;

const REMOTE_AUTH = object(
  {
    Switch: optional(oneOf(['on', 'off'], 'Whether it is on.', { emptyIsAbsent: true })),
    Address: optional(string('host:port of the authentication service.')),
    ServerFaultyBehavior: optional(string('reject or allow.')),
  },
  'Remote authentication.',
);

const PROTOCOL = oneOf(PROTOCOLS, 'Forwarding protocol.');
const PORT_RANGE = list(string('A port (80) or a range of ports (81-85).'), 'Forwarding ports.', {
  min: 1,
  max: MOST_PORT_RANGES,
});
const ORIGIN_TYPE = oneOf(ORIGIN_TYPES, 'What OriginValue names.');
const ORIGIN_VALUE = list(
  string('An IP address, a domain name, or an id.'),
  'IP_DOMAIN: IP addresses or one domain name, without port. ORIGIN_GROUP: one origin group id. LB: one load balancer id.',
  { min: 1, max: MOST_ORIGINS },
);
const ORIGIN_PORT_RANGE = string('Origin port, or a range as long as the forwarding ports, mapped by offset.');

/** Fields that a caller may set beside the five that make a rule. */
const SETTINGS = {
  ClientIPPassThroughMode: optional(
    oneOf(MODE_NAMES, 'How the client address reaches the origin; default OFF.', { emptyIsAbsent: true }),
  ),
  SessionPersist: optional(oneOf(['on', 'off'], 'Keep a client on its origin; default off.', { emptyIsAbsent: true })),
  SessionPersistTime: optional(unsigned('Seconds, 30 to 3600; counts while SessionPersist is on; default 3600.')),
  RuleTag: optional(string('Free text of up to 50 characters.', { max: MOST_TAG })),
} as const satisfies Fields;

/** wire: ignored when off or null. What is on would let in whom the caller wants kept out, so it is refused. */
const SENT_AUTH = optional(REMOTE_AUTH);

/** Shown only; ignored when sent. wire: a rule can be copied from Describe into Create. */
const SHOWN = {
  Status: optional(string('Output only; ignored when sent.')),
  BuId: optional(string('Output only; ignored when sent.')),
  RemoteAuth: SENT_AUTH,
} as const satisfies Fields;

export const NEW_RULE = object(
  {
    RuleId: optional(string('Output only; ignored when sent.')),
    Protocol: PROTOCOL,
    PortRange: PORT_RANGE,
    OriginType: ORIGIN_TYPE,
    OriginValue: ORIGIN_VALUE,
    OriginPortRange: ORIGIN_PORT_RANGE,
    ...SETTINGS,
    ...SHOWN,
  },
  'A rule to create.',
);

export const RULE_CHANGE = object(
  {
    RuleId: string('Rule ID.'),
    Protocol: optional(PROTOCOL),
    PortRange: optional(PORT_RANGE),
    OriginType: optional(ORIGIN_TYPE),
    OriginValue: optional(ORIGIN_VALUE),
    OriginPortRange: optional(ORIGIN_PORT_RANGE),
    ...SETTINGS,
    ...SHOWN,
  },
  'A rule to change; a field that is not sent stays as it is.',
);

export const L4_PROXY_RULE = object(
  {
    RuleId: string('Rule ID.'),
    Protocol: PROTOCOL,
    PortRange: PORT_RANGE,
    OriginType: ORIGIN_TYPE,
    OriginValue: ORIGIN_VALUE,
    OriginPortRange: ORIGIN_PORT_RANGE,
    ...SETTINGS,
    Status: oneOf(RULE_STATUSES, 'Status.'),
    BuId: string('Always empty.'),
    RemoteAuth: nullable(REMOTE_AUTH),
  },
  'A forwarding rule.',
);

type Sent = Omit<Infer<typeof RULE_CHANGE.fields>, 'RuleId' | 'Status' | 'BuId' | 'RemoteAuth'>;

/** The fields that were sent, under the domain's names. */
export function readRule(rule: Infer<typeof NEW_RULE.fields>): RuleDraft;
export function readRule(rule: Sent): Partial<RuleDraft>;
export function readRule(rule: Sent): Partial<RuleDraft> {
  return {
    ...(rule.Protocol && { protocol: rule.Protocol }),
    ...(rule.PortRange && { portRange: rule.PortRange }),
    ...(rule.OriginType && { originType: rule.OriginType }),
    ...(rule.OriginValue && { originValue: rule.OriginValue }),
    ...(rule.OriginPortRange !== undefined && { originPortRange: rule.OriginPortRange }),
    ...(rule.ClientIPPassThroughMode && { mode: rule.ClientIPPassThroughMode }),
    ...(rule.SessionPersist && { sessionPersist: rule.SessionPersist }),
    ...(rule.SessionPersistTime !== undefined && { sessionPersistTime: rule.SessionPersistTime }),
    ...(rule.RuleTag !== undefined && { tag: rule.RuleTag }),
  };
}

export function remoteAuthFault(
  rules: readonly Pick<Infer<typeof NEW_RULE.fields>, 'RemoteAuth'>[],
): Fault<'UnsupportedOperation'> | undefined {
  const place = rules.findIndex(({ RemoteAuth }) => RemoteAuth?.Switch === 'on');
  if (place < 0) return undefined;
  const why =
    'EdgeFour asks no authentication service yet, so nobody would be kept out. Leave it out, or send Switch off';
  return refuse('UnsupportedOperation', `L4ProxyRules.${place}.RemoteAuth: ${why}.`);
}

/** limit: spec section 17; seconds while persistence is on and no time was given. */
const DEFAULT_SESSION_SECONDS = 3600;

export function showRule(rule: L4Rule, status: RuleStatus, defaults: Defaults) {
  const { sessionPersist, sessionPersistTime: seconds } = rule;
  const shown = defaults === 'shown';
  return {
    RuleId: rule.id,
    Protocol: rule.protocol,
    PortRange: [...rule.portRange],
    OriginType: rule.originType,
    OriginValue: [...rule.originValue],
    OriginPortRange: rule.originPortRange,
    ...(shown && { ClientIPPassThroughMode: 'OFF' as const, SessionPersist: 'off' as const, RuleTag: '' }),
    ...(rule.mode && { ClientIPPassThroughMode: rule.mode }),
    ...(sessionPersist && { SessionPersist: sessionPersist }),
    ...(seconds !== undefined && { SessionPersistTime: seconds }),
    ...(shown && sessionPersist === 'on' && !seconds && { SessionPersistTime: DEFAULT_SESSION_SECONDS }),
    ...(rule.tag !== undefined && { RuleTag: rule.tag }),
    Status: status,
    BuId: '',
    RemoteAuth: null,
  } satisfies Infer<typeof L4_PROXY_RULE.fields>;
}
