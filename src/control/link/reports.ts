/**
 * Reports of edges, from bytes to facts: an ack, a beat, counters with connection records, the health of origins. Refuses reports
 * of another form, and acks of another world or of a revision that never was. Its handlers are routes of server.ts.
 */
import type { ConnectionRecord } from '../../domain/fact/fact.ts';
import type { Facts } from '../../facts/facts.ts';
import type { Bad } from '../../lib/check.ts';
import {
  decodeAck,
  decodeBeat,
  decodeFacts,
  decodeHealth,
  MAX_ACK,
  MAX_BEAT,
  MAX_FACTS,
  MAX_HEALTH,
} from '../../link/reports.ts';
import type { Log } from '../../observe/log.ts';
import type { Store } from '../../store/store.ts';
import { answer, bodyOf, type Handler } from './http.ts';

interface ReportParts {
  readonly store: Pick<Store, 'read' | 'world' | 'partial'>;
  readonly facts: Pick<Facts, 'report'>;
  /** Connection records as they come up, `lost` of them missing before these; absent: they end here. */
  readonly records?: (edge: string, records: readonly ConnectionRecord[], lost: number) => void;
  readonly log: Log;
}

export function reportHandlers(parts: ReportParts): {
  readonly ack: Handler;
  readonly beat: Handler;
  readonly facts: Handler;
  readonly health: Handler;
} {
  const { store, log } = parts;
  const { report } = parts.facts;

  /** `take` gives the status of the answer. */
  function handler<Report extends object>(
    what: string,
    most: number,
    decode: (body: Uint8Array) => Report | Bad,
    take: (said: Report) => number | Promise<number>,
  ): Handler {
    return async (request, response) => {
      const said = decode(await bodyOf(request, most));
      if ('bad' in said) log.warn('an edge’s report cannot be read', { report: what, reason: said.bad });
      answer(response, 'bad' in said ? 400 : await take(said));
    };
  }
  return {
    ack: handler('ack', MAX_ACK, decodeAck, async (ack) => {
      const revision = await store.read((view) => view.revision);
      // An edge beside a damaged store keeps what it has, and says how that is.
      const isOfHere = store.partial !== undefined || (ack.world === store.world && ack.applied <= revision);
      if (isOfHere) report.ack(ack);
      else report.beat(ack);
      return isOfHere ? 204 : 409;
    }),
    beat: handler('beat', MAX_BEAT, decodeBeat, (beat) => {
      report.beat(beat);
      return 204;
    }),
    facts: handler('facts', MAX_FACTS, decodeFacts, (told) => {
      report.counters(told);
      parts.records?.(told.edge, told.records, told.recordsLost);
      return 204;
    }),
    health: handler('health', MAX_HEALTH, decodeHealth, (told) => {
      const left = report.health(told);
      if (left > 0) log.warn('an edge tells of more origins than are kept', { edge: told.edge, left });
      return 204;
    }),
  };
}
