/**
 * All that a local process may say to a door, and what must hold then: the running process lets go only after `take` and
 * `serving` in this order, and the door serves the next one. Shared by door.test.ts and the long run in test/fuzz. Not
 * loaded by the product.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { systemClock } from '../lib/clock.ts';
import { openDoor, type Outgoing } from './door.ts';
import type { Answer } from './predecessor.ts';
import type { Reply, Word } from './words.ts';

/** A process that has nothing to hand over and writes down what happens to it. */
interface Witness extends AsyncDisposable {
  readonly path: string;
  /** `rest`, `handOver`, `pause`, and how it ended: `resume` or `gone`. */
  readonly seen: string[];
}

export async function witness(answer = (): Promise<Answer> => Promise.resolve({ parts: [] })): Promise<Witness> {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-door-'));
  const path = join(folder, 'door');
  const seen: string[] = [];
  const see = (word: Word) => (): Promise<Answer> => {
    seen.push(word);
    return answer();
  };
  const outgoing: Outgoing = {
    rest: see('rest'),
    handOver: see('handOver'),
    pause: see('pause'),
    resume: () => void seen.push('resume'),
    gone: () => void seen.push('gone'),
  };
  const door = await openDoor(path, outgoing, systemClock);
  return {
    path,
    seen,
    async [Symbol.asyncDispose]() {
      await door.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Says it in these pieces, ends, and resolves with the answers when the door has hung up. */
export async function tell(path: string, pieces: readonly Uint8Array[]): Promise<Reply[]> {
  const socket = connect({ path, allowHalfOpen: true });
  let answers = '';
  // It may hang up while we speak.
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (part: string) => (answers += part));
  // not: events.once, for which the hang-up is an error.
  const over = new Promise((resolve) => socket.once('close', resolve));
  for (const piece of pieces) await new Promise((resolve) => void socket.write(piece, resolve));
  socket.end();
  await over;
  return answers
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Reply);
}

/** As every version writes it to the socket. */
type Wire = 'take' | 'sessions' | 'serving';
export const ask = (what: Wire, more = {}): Buffer =>
  Buffer.from(`${JSON.stringify({ ask: what, protocol: 1, version: 'test', ...more })}\n`);

const word = fc.constantFrom<Wire>('take', 'sessions', 'serving').map((what) => ask(what));
const noise = fc.oneof(
  fc.constantFrom('\n', '{}\n', 'null\n', '{"ask":"take"', 'x'.repeat(70_000)).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(ask('take', { protocol: 2 })),
);
const pieces = fc
  .tuple(fc.array(fc.oneof({ weight: 3, arbitrary: word }, noise), { maxLength: 5 }), fc.array(fc.nat(60)))
  .map(([said, cuts]) => cutUp(Buffer.concat(said), cuts));

function cutUp(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  let at = 0;
  for (const length of [...cuts, bytes.length]) {
    if (length > 0 && at < bytes.length) cut.push(bytes.subarray(at, at + length));
    at += length;
  }
  return cut;
}

const SERVED = ['rest,pause,gone', 'rest,handOver,pause,gone'];
const UNSERVED = ['', 'rest,resume', 'rest,handOver,resume'];

/** Rejects with the smallest conversation after which something else has happened. */
export async function hostileDoor(runs: number): Promise<void> {
  await using door = await witness();
  await fc.assert(
    fc.asyncProperty(pieces, async (said) => {
      door.seen.length = 0;
      await tell(door.path, said);
      const what = door.seen.join();
      assert.ok([...SERVED, ...UNSERVED].includes(what), what);
      door.seen.length = 0;
      await tell(door.path, [ask('take')]);
      assert.deepEqual(door.seen, ['rest', 'resume']);
    }),
    { numRuns: runs },
  );
}
