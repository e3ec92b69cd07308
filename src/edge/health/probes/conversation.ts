/**
 * One TCP or TLS connection of a probe: it connects, says something, listens until there is a result, and ends in a way that
 * leaves no socket in TIME_WAIT here. It never rejects and never outlives its time. Used by the probes of TCP and HTTP.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ProbeResult } from '../../../domain/fact/health.ts';
import type { Clock, Timer } from '../../../lib/clock.ts';
import { excerpt } from '../../../lib/excerpt.ts';

interface Conversation {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** TLS, for this name; the certificate is not verified. */
  readonly serverName?: string | undefined;
  /** Before TLS. */
  readonly preface?: Uint8Array | undefined;
  readonly say?: string | undefined;
  /** Absent: a connection is enough. A result ends the conversation. */
  readonly hear?: ((news: News) => ProbeResult | undefined) | undefined;
  /** The origin closes first, because programs that take a reset for an error prefer that; else the probe resets. */
  readonly isPolite?: boolean;
}

/** What comes, that the origin has closed, or that the time is over. */
export type News = Uint8Array | 'closed' | 'late';

/** limit: how long an origin may take to close, and how much it may say until then. */
const CLOSE_MS = 1_000;
const MOST_BODY_BYTES = 65_536;
const QUARTERS = 4;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ETIMEDOUT: 'no answer to the connection',
  EHOSTUNREACH: 'no route to the origin',
  ENETUNREACH: 'no route to the origin',
};
/** Nothing that the origin could help. */
const OURS = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'EADDRINUSE', 'ENOBUFS', 'ENOMEM', 'EAFNOSUPPORT']);

/** Of a failed system call. */
export function failure({ code = '', message }: NodeJS.ErrnoException): ProbeResult {
  if (OURS.has(code)) return { verdict: 'unknown', reason: `this machine could not probe: ${code}` };
  return { verdict: 'unhealthy', reason: WORDS[code] ?? excerpt(message) };
}

export function converse(talk: Conversation, clock: Clock): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const { address, port, timeoutMs, serverName, preface, say, hear, isPolite = false } = talk;
    const raw = connect({ host: address, port, noDelay: true });
    const timer = timeOut(clock, timeoutMs, () =>
      finish((raw.connecting ? undefined : hear?.('late')) ?? late(raw, timeoutMs)),
    );
    let stream = raw;
    let isDone = false;
    raw.on('error', (error) => finish(failure(error)));
    raw.once('connect', () => {
      if (isDone) return;
      if (preface) raw.write(preface);
      if (serverName === undefined) return speak();
      const named = isIP(serverName) === 0 && { servername: serverName };
      // not: verified. The check asks whether the origin works; its certificate is for its clients.
      const secure = connectTls({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], ...named });
      stream = secure;
      secure.on('error', (error) => finish({ verdict: 'unhealthy', reason: excerpt(`TLS: ${error.message}`) }));
      secure.once('secureConnect', speak);
    });

    function speak(): void {
      if (!hear) return finish({ verdict: 'healthy', reason: 'it takes connections' });
      stream.on('data', (bytes: Buffer) => !isDone && finish(hear(bytes)));
      stream.once('end', () => finish(hear('closed')));
      if (say !== undefined) stream.write(say);
    }

    function finish(result: ProbeResult | undefined): void {
      if (!result || isDone) return;
      isDone = true;
      timer.cancel();
      resolve(result);
      if (isPolite && !raw.connecting && !raw.destroyed) letClose(stream, () => end(raw, clock), clock);
      else end(raw, clock);
    }
  });
}

/**
 * In quarters, one after the other: a machine that is too busy to run them in time has looked for answers in between each
 * time, so that its own delay is not taken for the origin's.
 */
export function timeOut(clock: Clock, ms: number, run: () => void): Timer {
  let quarters = 0;
  let timer: Timer;
  const wait = (): void => {
    timer = clock.after(ms / QUARTERS, () => (++quarters < QUARTERS ? wait() : run()));
  };
  wait();
  return { cancel: () => timer.cancel() };
}

function late(socket: Socket, timeoutMs: number): ProbeResult {
  const what = socket.connecting ? 'no connection' : 'no answer';
  return { verdict: 'unhealthy', reason: `${what} within ${timeoutMs / 1_000} s` };
}

/**
 * not: a close of ours where it was connected. Its port would be in TIME_WAIT for a minute. The system may have connected it
 * already where this program was not told yet; then the reset comes with the news.
 */
function end(socket: Socket, clock: Clock): void {
  if (socket.destroyed) return;
  if (socket.connecting) {
    const timer = clock.after(CLOSE_MS, () => socket.destroy());
    socket.once('close', () => timer.cancel());
  }
  socket.resetAndDestroy();
}

/** The rest of the answer is thrown away until the origin closes, which leaves TIME_WAIT with it. */
function letClose(stream: Socket, giveUp: () => void, clock: Clock): void {
  const timer = clock.after(CLOSE_MS, giveUp);
  let read = 0;
  stream.on('data', (bytes: Buffer) => {
    read += bytes.length;
    if (read > MOST_BODY_BYTES) giveUp();
  });
  stream.once('close', () => timer.cancel());
}
