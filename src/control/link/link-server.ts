/**
 * The control end of the link (LINK_PATHS): streams the desired state to edges, takes what they report. It answers
 * requests of a node:http server that the composition root opened (a Unix socket in the data folder on one machine);
 * who may connect is that server's business. Keys, policies and accounts never leave through it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Acks } from '../../facts/acks.ts';
import type { CounterBook } from '../../facts/counters.ts';
import type { Clock } from '../../lib/clock.ts';
import { LINK_PATHS } from '../../link/contract.ts';
import type { ConnectionRecord } from '../../domain/fact/fact.ts';
import { decodeAck, decodeBeat, decodeFacts, MAX_ACK, MAX_BEAT, MAX_FACTS } from '../../link/reports.ts';
import type { Log } from '../../observe/log.ts';
import type { Store } from '../../store/store.ts';
import { followSites } from './link-follow.ts';
import { streamNothing, streamWorld } from './link-stream.ts';

interface LinkServerOptions {
  readonly store: Store;
  readonly version: string;
  readonly acks: Acks;
  readonly counters: CounterBook;
  /** Connection records as they come up, `lost` of them missing before these; absent: they end here. */
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

const ID = /^[A-Za-z0-9._-]{1,64}$/;

export function createLinkServer(options: LinkServerOptions): LinkServer {
  const { store, acks, log, clock } = options;
  const closing = new AbortController();
  const streams = new Map<string, AbortController>();
  const followed = followSites({ store, acks, clock, log, signal: closing.signal });

  async function watch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const query = new URL(request.url ?? '', 'http://link').searchParams;
    const edge = query.get('edge') ?? '';
    const site = query.get('site') ?? '';
    const version = query.get('version') ?? '';
    const from = Number(query.get('from') ?? 'none');
    if (!ID.test(edge) || !ID.test(site) || !Number.isSafeInteger(from) || from < 0) return answer(response, 400);
    // order: a stream that its own edge has replaced must end before it can hold the edge's place.
    if (streams.has(edge)) log.warn('an edge connected again; its previous stream ends', { edge, site });
    streams.get(edge)?.abort();
    const ended = new AbortController();
    streams.set(edge, ended);
    const signal = AbortSignal.any([closing.signal, ended.signal]);
    response.on('close', () => ended.abort());
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    acks.heard(edge, site, version);
    log.info('edge connected', { edge, site, version, from });
    try {
      const world = query.get('world') ?? '';
      const known = world === store.world ? from : 0;
      if (store.partial) await streamNothing(response, { ...options, signal, from, world: world || store.world });
      else await streamWorld(response, { ...options, signal, from: known, digest: (at) => followed.digest(at) });
    } catch (error) {
      log.warn('an edge’s stream was cut', { edge, reason: (error as Error).message });
    } finally {
      if (streams.get(edge) === ended) streams.delete(edge);
      response.destroy();
      log.info('edge disconnected', { edge, site });
    }
  }

  async function ack(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const report = decodeAck(await body(request, MAX_ACK));
    if ('bad' in report) return refuse(response, 'ack', report.bad);
    const revision = await store.read((view) => view.revision);
    // An edge beside a damaged store keeps what it has, and says how that is.
    if (!store.partial && (report.world !== store.world || report.applied > revision)) {
      acks.heard(report.edge, report.site, report.version);
      return answer(response, 409);
    }
    acks.report(report);
    answer(response, 204);
  }

  async function beat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const said = decodeBeat(await body(request, MAX_BEAT));
    if ('bad' in said) return refuse(response, 'beat', said.bad);
    acks.heard(said.edge, said.site, said.version);
    answer(response, 204);
  }

  async function facts(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const report = decodeFacts(await body(request, MAX_FACTS));
    if ('bad' in report) return refuse(response, 'facts', report.bad);
    options.counters.report(report);
    options.records?.(report.edge, report.records, report.recordsLost);
    answer(response, 204);
  }

  function refuse(response: ServerResponse, what: string, reason: string): void {
    log.warn('an edge’s report cannot be read', { report: what, reason });
    answer(response, 400);
  }

  const routes: Readonly<Record<string, readonly ['GET' | 'POST', typeof watch]>> = {
    [LINK_PATHS.watch]: ['GET', watch],
    [LINK_PATHS.ack]: ['POST', ack],
    [LINK_PATHS.beat]: ['POST', beat],
    [LINK_PATHS.facts]: ['POST', facts],
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
      await followed.ended;
    },
  };
}

class TooLong extends Error {}

async function body(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new TooLong(`a report of more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function answer(response: ServerResponse, status: number): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-length': 0 }).end();
}
