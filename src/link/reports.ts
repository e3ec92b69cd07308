/**
 * What edges send up, read from bytes nobody vouches for. The control end of the link (control/link/link-server.ts) uses it;
 * it decides only about form, not about whether a report makes sense now.
 */
import {
  type Bad,
  type Check,
  count,
  fields,
  flag,
  listOf,
  optional,
  parseJson,
  tableOf,
  text,
  word,
} from '../lib/check.ts';
import type { AckReport, Beat, FactReport } from './contract.ts';

/** limit: 100,000 failed rules at 300 bytes; an edge splits what can be split into far smaller reports. */
export const MAX_ACK = 32 * 1024 * 1024;
/** limit: what an edge puts into one report of facts (edge/report/reporter.ts), with room. */
export const MAX_FACTS = 8 * 1024 * 1024;

/** limit: three short texts. */
export const MAX_BEAT = 4 * 1024;

const BEAT = fields({ edge: word, site: word, version: text } satisfies Record<keyof Beat, Check>);
const ENDPOINT = fields({ address: word, port: count });

const ACK = fields({
  edge: word,
  site: word,
  version: text,
  world: text,
  applied: count,
  failed: listOf(fields({ id: word, reason: text })),
  unresolved: optional(listOf(fields({ id: word, names: listOf(text) }))),
  placed: listOf(fields({ rule: word, engine: text, why: text })),
  fresh: flag,
  engines: listOf(fields({ name: word, unavailable: optional(text) })),
  alarms: listOf(text),
  lost: optional(listOf(word)),
} satisfies Record<keyof AckReport, Check>);

const COUNTERS = fields({
  rule: word,
  connections: count,
  active: count,
  bytesIn: count,
  bytesOut: count,
  packetsIn: count,
  packetsOut: count,
  dropped: tableOf(count),
  ends: tableOf(count),
  unrecorded: optional(tableOf(count)),
  unanswered: optional(count),
  fastPackets: optional(count),
} satisfies Record<keyof FactReport['counters'][number], Check>);

const CONNECTION = fields({
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
} satisfies Record<keyof FactReport['records'][number], Check>);

const FACTS = fields({
  edge: word,
  at: count,
  epoch: word,
  draining: optional(flag),
  counters: listOf(COUNTERS),
  gone: listOf(word),
  records: listOf(CONNECTION),
  recordsLost: count,
} satisfies Record<keyof FactReport, Check>);

export function decodeAck(body: Uint8Array): AckReport | Bad {
  const parsed = parseJson(body);
  if ('bad' in parsed) return parsed;
  return ACK(parsed.value) ? (parsed.value as AckReport) : { bad: 'it is not an ack report' };
}

export function decodeBeat(body: Uint8Array): Beat | Bad {
  const parsed = parseJson(body);
  if ('bad' in parsed) return parsed;
  return BEAT(parsed.value) ? (parsed.value as Beat) : { bad: 'it is not a beat' };
}

export function decodeFacts(body: Uint8Array): FactReport | Bad {
  const parsed = parseJson(body);
  if ('bad' in parsed) return parsed;
  return FACTS(parsed.value) ? (parsed.value as FactReport) : { bad: 'it is not a fact report' };
}
