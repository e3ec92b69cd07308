/** New connections at a steady pace, each with one message there and back, counted by how they ended. */
import { connect } from 'node:net';
import { systemClock as clock } from '../../src/lib/clock.ts';

export interface Connects {
  /** How each ended: `ok`, or the error. */
  readonly ends: ReadonlyMap<string, number>;
  readonly started: number;
  /** No new ones; resolves when all have ended. */
  stop(): Promise<void>;
}

/** limit: a connection that has no answer by then is lost, also on a busy machine. */
const PATIENCE_MS = 20_000;

export function connects(address: string, port: number, perSecond: number): Connects {
  const ends = new Map<string, number>();
  const began = clock.monotonic();
  let started = 0;
  let open = 0;
  let stopping: (() => void) | undefined;

  function one(): void {
    const text = `message ${started++}`;
    open++;
    let said = '';
    let end = '';
    const socket = connect({ host: address, port, noDelay: true });
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(Object.assign(new Error(), { code: 'silence' })));
    socket.on('connect', () => socket.end(text));
    socket.on('data', (part: string) => (said += part));
    socket.on('end', () => (end = said === text ? 'ok' : `cut after ${said.length} bytes`));
    socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? error.message));
    socket.on('close', () => {
      const how = end === '' ? 'closed' : end;
      ends.set(how, (ends.get(how) ?? 0) + 1);
      open--;
      if (open === 0) stopping?.();
    });
  }
  // A late timer makes up for what it missed, so the pace is the pace.
  const timer = clock.every(5, () => {
    const due = ((clock.monotonic() - began) * perSecond) / 1000;
    for (let most = 50; started < due && most > 0; most--) one();
  });
  return {
    ends,
    get started() {
      return started;
    },
    stop() {
      timer.cancel();
      return new Promise((resolve) => {
        if (open === 0) resolve();
        else stopping = resolve;
      });
    },
  };
}
