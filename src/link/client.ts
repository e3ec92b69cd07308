/**
 * The edge's end of the link: follows control's stream into a replica, for as long as the edge lives, and carries
 * reports up. It comes back after every kind of break, from the revision it has; where the stream can't be believed it
 * asks for everything. It never decides what a record means. Made by edge/agent.ts.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { createBackoff } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { http, https } from '../lib/node-http.ts';
import type { Rng } from '../lib/rng.ts';
import { reachablePath } from '../linux/socket-path.ts';
import type { LinkAddress } from './address.ts';
import { BEAT_MS, BEATS_MISSED, LINK_PATHS, type VerdictsFrame } from './contract.ts';
import { decodeFrame, MAX_LINE } from './frames.ts';
import { createLineSplitter } from './lines.ts';
import type { Replica, Step } from './replica.ts';

interface LinkIdentity {
  readonly edge: string;
  readonly site: string;
  readonly version: string;
}

interface LinkSink {
  /** Control has said hello. */
  connected(): void;
  /** The replica has taken this step; never `none` or `broken`. Not called again before it returns. */
  step(step: Step): void;
  /** Absent: it takes none, and control sends none. */
  verdicts?(frame: VerdictsFrame): void;
  /** The link is gone, with the reason; `resync` when the stream could not be believed. */
  disconnected(reason: string, resync: boolean): void;
}

export interface LinkClient {
  /** Resolves when the signal has aborted. */
  follow(replica: Replica, sink: LinkSink, signal: AbortSignal): Promise<void>;
  /** Resolves with the HTTP status; rejects when control can't be reached or does not answer in time. */
  post(path: string, body: unknown, withinMs?: number): Promise<number>;
  close(): void;
}

/** limit: a socket of this machine costs nothing to try; between machines 5 s at most spreads a herd of edges. */
const RETRY_MS = { socket: { first: 20, max: 250 }, url: { first: 100, max: 5_000 } } as const;
/** limit: where two ends never agree, asking for everything again and again must not become the load. */
const DOUBT_MAX_MS = 60_000;
const POST_TIMEOUT_MS = 10_000;
/** limit: an ack, facts, and beats that overtake them, of which one that gets no answer ends with its time-out. */
const POSTS_AT_ONCE = 4;

interface Tools {
  readonly clock: Clock;
  readonly rng: Rng;
}

export function createLinkClient(address: LinkAddress, identity: LinkIdentity, { clock, rng }: Tools): LinkClient {
  const { request, Agent } = address.kind === 'url' && address.tls ? https() : http;
  const agent = new Agent({ keepAlive: true, maxSockets: POSTS_AT_ONCE });
  const to = (path: string, options: RequestOptions): ClientRequest =>
    request({
      ...(address.kind === 'socket'
        ? { socketPath: reachablePath(address.path) }
        : { host: address.host, port: address.port }),
      ...options,
      path,
    });

  return {
    async follow(replica, sink, signal) {
      const { first, max } = RETRY_MS[address.kind];
      const backoff = createBackoff(first, max, rng);
      const doubts = createBackoff(first, DOUBT_MAX_MS, rng);
      const state: StreamState = { heard: false, doubted: false, proven: false };
      while (!signal.aborted) {
        state.heard = false;
        state.proven = false;
        const from = state.doubted ? 0 : replica.revision;
        const takes = sink.verdicts && { takes: 'verdicts' };
        const query = new URLSearchParams({ ...identity, from: `${from}`, world: replica.world, ...takes });
        const outgoing = to(`${LINK_PATHS.watch}?${query.toString()}`, { agent: false, signal });
        const reason = await readStream(outgoing, clock, replica, (line) => take(line, replica, state, sink));
        if (signal.aborted) return;
        if (state.heard) backoff.reset();
        if (state.proven) doubts.reset();
        sink.disconnected(reason, state.doubted);
        await clock.sleep((state.doubted ? doubts : backoff).next(), signal);
      }
    },
    async post(path, body, withinMs = POST_TIMEOUT_MS) {
      const outgoing = to(path, { agent, method: 'POST' });
      const timer = clock.after(withinMs, () => outgoing.destroy(new Error('control does not answer')));
      try {
        outgoing.end(JSON.stringify(body));
        const response = await responseOf(outgoing, false);
        response.resume();
        return response.statusCode ?? 0;
      } finally {
        timer.cancel();
      }
    },
    close: () => agent.destroy(),
  };
}

/** Resolves when the stream is over, saying why: its own end, a silence, or what `take` says of a line. */
async function readStream(
  outgoing: ClientRequest,
  clock: Clock,
  replica: Replica,
  take: (line: Uint8Array) => string | undefined,
): Promise<string> {
  let missed = 0;
  // not: comparing times. After a long pause of this process the timer fires once, and waiting data is read next.
  const silence = clock.every(BEAT_MS, () => {
    if (++missed > BEATS_MISSED) outgoing.destroy();
  });
  try {
    const response = await responseOf(outgoing);
    if (response.statusCode !== 200) return `control answers ${response.statusCode}`;
    const splitter = createLineSplitter(MAX_LINE);
    replica.begin();
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      missed = 0;
      for (const line of splitter.push(chunk) ?? [OVERLONG]) {
        const untrue = take(line);
        if (untrue !== undefined) return untrue;
      }
    }
    return 'control ended the stream';
  } catch (error) {
    return missed > BEATS_MISSED ? 'control has gone silent' : (error as Error).message;
  } finally {
    silence.cancel();
    outgoing.destroy();
  }
}

interface StreamState {
  /** Control spoke at all, so the next try may come soon. */
  heard: boolean;
  /** The stream could not be believed: everything is asked for, until it has arrived. */
  doubted: boolean;
  /** A beat has shown that both ends hold the same records. */
  proven: boolean;
}

/** One line of the stream; why it can't be believed, if so. */
function take(line: Uint8Array, replica: Replica, state: StreamState, sink: LinkSink): string | undefined {
  const frame = decodeFrame(line);
  const step: Step = 'bad' in frame ? { kind: 'broken', reason: frame.bad } : replica.accept(frame);
  if (!state.heard && step.kind !== 'broken') sink.connected();
  state.heard ||= step.kind !== 'broken';
  state.proven ||= 'digest' in frame && step.kind === 'none';
  // order: a step that the sink throws on is lost to it, so everything has to come again.
  const doubted = step.kind === 'broken' || (state.doubted && step.kind !== 'replaced');
  state.doubted = true;
  if (step.kind === 'broken') return step.reason;
  if (step.kind !== 'none') sink.step(step);
  else if ('kind' in frame && frame.kind === 'verdicts') sink.verdicts?.(frame);
  state.doubted = doubted;
  return undefined;
}

/** Stands for a line over the limit: no frame reads like this. */
const OVERLONG = Buffer.from('over the limit');

function responseOf(outgoing: ClientRequest, end = true): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', resolve);
    if (end) outgoing.end();
  });
}
