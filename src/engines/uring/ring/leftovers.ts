/**
 * The memory of a worker that dies without a chance to clean up: its ring, whose mapped pages keep every operation and so
 * every socket alive, and its buffers. The worker writes the list down (worker/relay.ts), the agent's thread frees all that
 * is in it (host/worker-life.ts). It refuses to close sockets.
 */
import { close, mappings, unmapRange } from '../../../linux/ffi/libc.ts';

/** limit: a worker maps about ten pieces; the list holds thirty. */
const MOST = 30;
const RING = 0;
const COUNT = 1;
const FIRST = 2;

export function leftoversMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer((FIRST + 2 * MOST) * 8);
}

/** Called by the worker after it has mapped something. */
export function writeLeftovers(memory: SharedArrayBuffer, ring: number): void {
  const list = new Float64Array(memory);
  const pieces = mappings().slice(0, 2 * MOST);
  list.set(pieces, FIRST);
  list[RING] = ring;
  list[COUNT] = pieces.length;
}

/** Called once, when the thread is gone. */
export function freeLeftovers(memory: SharedArrayBuffer): void {
  const list = new Float64Array(memory);
  const count = list[COUNT]!;
  if (count === 0) return;
  close(list[RING]!);
  for (let i = FIRST; i < FIRST + count; i += 2) unmapRange(list[i]!, list[i + 1]!);
  list[COUNT] = 0;
}
