/**
 * The streams of edges: one for each edge, replaced when it connects again. Reads which edge comes and from which revision, keeps
 * the stream's place and says that the edge is there; what goes down is stream.ts's. Its handler is a route of server.ts.
 */
import type { Facts } from '../../facts/facts.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import type { Revision, Store } from '../../store/store.ts';
import { answer, type Handler } from './http.ts';
import { streamNothing, streamWorld } from './stream.ts';
import type { VerdictFeed, VerdictStream } from './verdict-feed.ts';

interface WatchParts {
  readonly store: Store;
  readonly version: string;
  readonly facts: Pick<Facts, 'report'>;
  digest(revision: Revision): number | undefined;
  readonly verdicts: Pick<VerdictFeed, 'open'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends all streams. */
  readonly closing: AbortSignal;
}

const ID = /^[A-Za-z0-9._-]{1,64}$/;

export function watchHandler(parts: WatchParts): Handler {
  const { store, facts, log } = parts;
  const streams = new Map<string, AbortController>();
  return async (request, response) => {
    const asked = readQuery(request.url ?? '');
    if (!asked) return answer(response, 400);
    const { edge, site, version, from, world, takes } = asked;
    // order: a stream that its own edge has replaced must end before it can hold the edge's place.
    if (streams.has(edge)) log.warn('an edge connected again; its previous stream ends', { edge, site });
    streams.get(edge)?.abort();
    const ended = new AbortController();
    streams.set(edge, ended);
    const verdicts = takes.includes('verdicts')
      ? (wake: () => void): VerdictStream => parts.verdicts.open(site, wake)
      : undefined;
    const options = { ...parts, verdicts, signal: AbortSignal.any([parts.closing, ended.signal]) };
    response.on('close', () => ended.abort());
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    facts.report.beat({ edge, site, version });
    log.info('edge connected', { edge, site, version, from });
    try {
      if (store.partial) await streamNothing(response, { ...options, from, world: world || store.world });
      else await streamWorld(response, { ...options, from: world === store.world ? from : 0 });
    } catch (error) {
      log.warn('an edge’s stream was cut', { edge, reason: (error as Error).message });
    } finally {
      if (streams.get(edge) === ended) streams.delete(edge);
      response.destroy();
      log.info('edge disconnected', { edge, site });
    }
  };
}

/** Undefined: it can't be read. `from` is a revision of `world`, or 0; `world` is empty where the edge has none. */
function readQuery(url: string) {
  const query = new URL(url, 'http://link').searchParams;
  const said = (name: string): string => query.get(name) ?? '';
  const from = Number(query.get('from') ?? 'none');
  const takes = said('takes').split(',');
  const isReadable = ID.test(said('edge')) && ID.test(said('site')) && Number.isSafeInteger(from) && from >= 0;
  return isReadable
    ? { edge: said('edge'), site: said('site'), version: said('version'), world: said('world'), from, takes }
    : undefined;
}
