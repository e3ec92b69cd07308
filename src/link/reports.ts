/**
 * Reports of edges, read from bytes that nothing vouches for. Decides only about form, not about whether a report makes sense
 * now. Called by the control end of the link (control/link).
 */
import { areFailures, type Beat } from '../domain/fact/ack.ts';
import { type ConnectionRecord, isCountersOfRule } from '../domain/fact/fact.ts';
import {
  type CheckFact,
  type CheckId,
  type HealthReport,
  type HealthTimes,
  type OriginFact,
  ORIGIN_STATES,
  PROBE_VERDICTS,
  STATE_CAUSES,
  TIME_BOUNDS_MS,
  type Times,
} from '../domain/fact/health.ts';
import {
  type Bad,
  type Check,
  count,
  fields,
  flag,
  listOf,
  oneOf,
  optional,
  parseJson,
  shortText,
  text,
  word,
} from '../lib/check.ts';
import type { AckReport, FactReport } from './contract.ts';

/** limit: 100,000 failed rules at 300 bytes; an edge splits what can be split into far smaller reports. */
export const MAX_ACK = 32 * 1024 * 1024;
/** limit: one report of facts as an edge makes it (edge/report/fact-sender.ts), with room. */
export const MAX_FACTS = 8 * 1024 * 1024;

/** limit: what an edge writes is far shorter; control keeps these texts, so that they bound its memory. */
const LONGEST_TEXT = 512;

/** limit: an edge cuts its reports at a quarter of this; letters may take three bytes. */
export const MAX_HEALTH = 1024 * 1024;

/** limit: three short texts. */
export const MAX_BEAT = 4 * 1024;

const BEAT = { edge: word, site: word, version: text } satisfies Record<keyof Beat, Check>;

const ACK = {
  ...BEAT,
  world: text,
  applied: count,
  failed: areFailures,
  unresolved: optional(listOf(fields({ id: word, names: listOf(text) }))),
  placed: listOf(fields({ rule: word, engine: text, why: text })),
  fresh: flag,
  engines: listOf(fields({ name: word, unavailable: optional(text) })),
  alarms: listOf(text),
  lost: optional(listOf(word)),
} satisfies Record<keyof AckReport, Check>;

const ENDPOINT = fields({ address: word, port: count });

const CONNECTION = {
  id: word,
  rule: word,
  proxy: word,
  protocol: word,
  client: ENDPOINT,
  entry: ENDPOINT,
  origin: optional(ENDPOINT),
  startedAt: count,
  at: count,
  bytesIn: count,
  bytesOut: count,
  end: optional(word),
} satisfies Record<keyof ConnectionRecord, Check>;

const FACTS = {
  edge: word,
  at: count,
  epoch: word,
  draining: optional(flag),
  counters: listOf(isCountersOfRule),
  gone: listOf(word),
  records: listOf(fields(CONNECTION)),
  recordsLost: count,
} satisfies Record<keyof FactReport, Check>;

const short = shortText(LONGEST_TEXT);
const milliseconds: Check = (value) => Number.isFinite(value) && (value as number) >= 0;

const CHECK_ID = { owner: short, group: short, host: short, address: short, check: short } satisfies Record<
  keyof CheckId,
  Check
>;
const CHECK_FACT = { ...CHECK_ID, verdict: oneOf(PROBE_VERDICTS), reason: short } satisfies Record<
  keyof CheckFact,
  Check
>;
const ORIGIN_FACT = {
  key: short,
  zone: short,
  origin: short,
  host: short,
  group: short,
  check: short,
  passive: flag,
  slowStartSeconds: milliseconds,
  state: oneOf(ORIGIN_STATES),
  since: count,
  by: oneOf(STATE_CAUSES),
  reason: short,
  changes: count,
  rules: count,
  dials: count,
  probe: optional(fields({ p50Ms: milliseconds, p99Ms: milliseconds, tries: count })),
} satisfies Record<keyof OriginFact, Check>;

const areCounts: Check = (value) => listOf(count)(value) && (value as []).length === TIME_BOUNDS_MS.length + 1;
const TIMES = fields({ counts: areCounts, sumMs: milliseconds } satisfies Record<keyof Times, Check>);

const HEALTH = {
  edge: short,
  site: short,
  whole: optional(fields({ part: count, isLast: flag })),
  checks: listOf(fields(CHECK_FACT)),
  origins: listOf(fields(ORIGIN_FACT)),
  gone: fields({ checks: listOf(fields(CHECK_ID)), origins: listOf(short) }),
  failOpen: count,
  times: fields({ probe: TIMES, lag: TIMES, flip: TIMES } satisfies Record<keyof HealthTimes, Check>),
} satisfies Record<keyof HealthReport, Check>;

export const decodeAck = reader<AckReport>(fields(ACK), 'it is not an ack report');
export const decodeBeat = reader<Beat>(fields(BEAT), 'it is not a beat');
export const decodeFacts = reader<FactReport>(fields(FACTS), 'it is not a fact report');
export const decodeHealth = reader<HealthReport>(fields(HEALTH), 'it is not a health report');

function reader<Report extends object>(check: Check, bad: string): (body: Uint8Array) => Report | Bad {
  return (body) => {
    const parsed = parseJson(body);
    if ('bad' in parsed) return parsed;
    return check(parsed.value) ? (parsed.value as Report) : { bad };
  };
}
