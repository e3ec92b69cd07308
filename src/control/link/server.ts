/**
 * The control end of the link (LINK_PATHS): streams the desired state to edges, takes what they report. It answers requests of a
 * node:http server that the composition root opened (a Unix socket in the data folder on one machine); that server decides which
 * peers may connect. Keys, policies and accounts never leave through it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConnectionRecord } from '../../domain/fact/fact.ts';
import type { Facts } from '../../facts/facts.ts';
import type { Clock } from '../../lib/clock.ts';
import { LINK_PATHS } from '../../link/contract.ts';
import type { Log } from '../../observe/log.ts';
import type { Store } from '../../store/store.ts';
import { followSites } from './follow.ts';
import { answer, type Handler, TooLong } from './http.ts';
import { reportHandlers } from './reports.ts';
import { VerdictFeed } from './verdict-feed.ts';
import { watchHandler } from './watch.ts';

interface LinkServerOptions {
  readonly store: Store;
  readonly version: string;
  readonly facts: Omit<Facts, 'close'>;
  /** See reports.ts. */
  readonly records?: (edge: string, records: readonly ConnectionRecord[], lost: number) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LinkServer {
  /** Takes the request if its path is one of LINK_PATHS; false leaves it to the caller. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  /** Ends all streams. May be called twice. */
  close(): Promise<void>;
}

type Route = readonly [method: 'GET' | 'POST', handler: Handler];

export function createLinkServer(options: LinkServerOptions): LinkServer {
  const { log } = options;
  const closing = new AbortController();
  const followed = followSites({ ...options, facts: options.facts.world, signal: closing.signal });
  const digest = (revision: number): number | undefined => followed.digest(revision);
  const verdicts = new VerdictFeed(options.facts, options.clock);
  const reports = reportHandlers(options);
  const routes: Readonly<Record<string, Route>> = {
    [LINK_PATHS.watch]: ['GET', watchHandler({ ...options, digest, verdicts, closing: closing.signal })],
    [LINK_PATHS.ack]: ['POST', reports.ack],
    [LINK_PATHS.beat]: ['POST', reports.beat],
    [LINK_PATHS.facts]: ['POST', reports.facts],
    [LINK_PATHS.health]: ['POST', reports.health],
  };
  return {
    handle(request, response) {
      const [method, run] = routes[(request.url ?? '').split('?', 1)[0] ?? ''] ?? [];
      if (!run) return false;
      if (closing.signal.aborted) answer(response, 503);
      else if (request.method !== method) answer(response, 405);
      else
        run(request, response).catch((error: unknown) => {
          log.warn('a request on the link failed', { path: request.url, reason: (error as Error).message });
          answer(response, error instanceof TooLong ? 413 : 500);
        });
      return true;
    },
    async close() {
      closing.abort();
      verdicts.close();
      await followed.ended;
    },
  };
}
