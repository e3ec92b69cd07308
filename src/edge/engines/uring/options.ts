/**
 * Socket options on the way to an origin: in the ring where the kernel can (Linux 6.7), else by a call of its own. Tried
 * once per worker, on a socket that goes nowhere.
 */
import { close, mapPages, setsockopt, socket, unmap } from '../../../lib/ffi/libc.ts';
import { AF_INET, IPPROTO_TCP, SOCK_CLOEXEC, SOCK_STREAM, TCP_NODELAY } from './abi.ts';
import { setOption } from './operations.ts';
import type { Slab } from '../../../lib/ffi/libc.ts';
import type { Ring } from './ring.ts';

export type OptionSetter = (fd: number, level: number, name: number, on: boolean) => void;

/** The ring is fresh: nothing else is under way. */
export function optionSetter(ring: Ring): OptionSetter {
  const zero = Int32Array.of(0);
  const one = Int32Array.of(1);
  const values = mapPages(8);
  if (typeof values === 'number' || !inRing(ring, values)) {
    if (typeof values !== 'number') unmap(values);
    return (fd, level, name, on) => void setsockopt(fd, level, name, on ? one : zero, 4);
  }
  new Int32Array(values.buffer)[1] = 1;
  return (fd, level, name, on) => setOption(ring, fd, level, name, values, on ? 4 : 0);
}

/** Success posts no completion, failure does: after a call that waits for nothing, none means that it works. */
function inRing(ring: Ring, values: Slab): boolean {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  setOption(ring, fd, IPPROTO_TCP, TCP_NODELAY, values, 0);
  ring.enter(0, 0);
  const head = ring.cqHead();
  const works = ring.cqTail() === head;
  ring.advance(ring.cqTail());
  close(fd);
  return works;
}
