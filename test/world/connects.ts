/** New connections at a steady pace, each with messages there and back, counted by how they ended. */
import { connect } from 'node:net';
import { systemClock as clock } from '../../src/lib/clock.ts';

interface Talk {
  readonly perSecond: number;
  /** Of each connection; default 1. */
  readonly messages?: number;
  /** Between an answer and the next message; default 0. */
  readonly pauseMs?: number;
}

/** Disposing stops it: a test that failed leaves nothing running. */
interface Connects extends AsyncDisposable {
  /** How each ended: `ok`, or the error. */
  readonly ends: ReadonlyMap<string, number>;
  readonly started: number;
  /** No new ones; resolves when all have ended. */
  stop(): Promise<void>;
}

/** limit: a connection that has no answer by then is lost, also on a busy machine. */
const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 5;
/** limit: after a pause of this process, so many are made up for at once. */
const MOST_AT_ONCE = 50;
/**
 * limit: on a machine that can't keep the pace no more than this are open, and what was due meanwhile is left out; else
 * they would only wait for each other, and what is measured is the machine.
 */
const MOST_OPEN = 60;

export function connects(address: string, port: number, { perSecond, messages = 1, pauseMs = 0 }: Talk): Connects {
  const ends = new Map<string, number>();
  const began = clock.monotonic();
  let started = 0;
  /** Were due, and left out. */
  let left = 0;
  let open = 0;
  let stopping: (() => void) | undefined;

  function one(number: number): void {
    const text = `message of connection ${number}`;
    open++;
    let answers = 0;
    let heard = '';
    let end = '';
    const socket = connect({ host: address, port, noDelay: true });
    const say = (): void => void (answers === messages - 1 ? socket.end(text) : socket.write(text));
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(Object.assign(new Error(), { code: 'silence' })));
    socket.on('connect', say);
    socket.on('data', (part: string) => {
      heard += part;
      if (heard.length < text.length || heard !== text) return;
      heard = '';
      if (++answers < messages) clock.after(pauseMs, say);
    });
    socket.on('end', () => (end = answers === messages && heard === '' ? 'ok' : `cut after ${answers} answers`));
    socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? error.message));
    socket.on('close', () => {
      const how = end === '' ? 'closed' : end;
      ends.set(how, (ends.get(how) ?? 0) + 1);
      open--;
      if (open === 0) stopping?.();
    });
  }
  let ended: Promise<void> | undefined;
  function stop(): Promise<void> {
    timer.cancel();
    return (ended ??= new Promise((resolve) => {
      if (open === 0) resolve();
      else stopping = resolve;
    }));
  }
  const timer = clock.every(LOOK_EVERY_MS, () => {
    const due = ((clock.monotonic() - began) * perSecond) / 1000 - left;
    for (let most = MOST_AT_ONCE; started < due && most > 0 && open < MOST_OPEN; most--) one(started++);
    if (open >= MOST_OPEN) left += Math.max(0, due - started);
  });
  return {
    ends,
    get started() {
      return started;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
