/**
 * Reports of edges, read from bytes that nothing vouches for. Decides only about form, not about whether a report makes sense
 * now. Called by the control end of the link (control/link).
 */
import { areFailures, type Beat } from '../domain/fact/ack.ts';
import { type ConnectionRecord, isCountersOfRule } from '../domain/fact/fact.ts';
import { type Bad, type Check, count, fields, flag, listOf, optional, parseJson, text, word } from '../lib/check.ts';
import type { AckReport, FactReport } from './contract.ts';

/** limit: 100,000 failed rules at 300 bytes; an edge splits what can be split into far smaller reports. */
export const MAX_ACK = 32 * 1024 * 1024;
/** limit: one report of facts as an edge makes it (edge/report/fact-sender.ts), with room. */
export const MAX_FACTS = 8 * 1024 * 1024;

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
  health: optional(fields({ origins: listOf(fields({ origin: text, isUp: flag, changes: count })), failOpen: count })),
  recordsLost: count,
} satisfies Record<keyof FactReport, Check>;

export const decodeAck = reader<AckReport>(fields(ACK), 'it is not an ack report');
export const decodeBeat = reader<Beat>(fields(BEAT), 'it is not a beat');
export const decodeFacts = reader<FactReport>(fields(FACTS), 'it is not a fact report');

function reader<Report extends object>(check: Check, bad: string): (body: Uint8Array) => Report | Bad {
  return (body) => {
    const parsed = parseJson(body);
    if ('bad' in parsed) return parsed;
    return check(parsed.value) ? (parsed.value as Report) : { bad };
  };
}
