/**
 * Pipes for splice(2): two descriptors each, kept for the next stream once empty. It refuses more than the worker's budget;
 * then the stream is copied instead. Used by tcp/direction.ts.
 */
import { close, fcntl, pipe2 } from '../../../linux/ffi/libc.ts';
import { F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK } from '../../../linux/abi.ts';
import type { Budget } from '../worker/budget.ts';

/** limit: as much as an unprivileged user may ask for (fs.pipe-max-size); smaller where the system says so. */
export const PIPE_BYTES = 1 << 20;
/** limit: idle pipes kept; opening one costs as much as moving 100 kB. */
const MOST_IDLE = 64;

export class Pipes {
  readonly #budget: Budget;
  readonly #idle: number[] = [];
  readonly #pair = new Int32Array(2);

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** The reading end; the writing end is then `writeEnd`. Minus one: none to be had now. */
  take(): number {
    const write = this.#idle.pop();
    if (write !== undefined) {
      this.writeEnd = write;
      return this.#idle.pop()!;
    }
    if (!this.#budget.take(2)) return -1;
    if (pipe2(this.#pair, O_CLOEXEC | O_NONBLOCK) < 0) {
      this.#budget.give(2);
      return -1;
    }
    this.writeEnd = this.#pair[1]!;
    // Where the user's share of pipe memory is used up the pipe stays small, and works.
    fcntl(this.writeEnd, F_SETPIPE_SZ, PIPE_BYTES);
    return this.#pair[0]!;
  }

  writeEnd = -1;

  /** `left`: bytes still in it; a pipe that is not empty is of no use to another stream. */
  give(read: number, write: number, left: number): void {
    if (left === 0 && this.#idle.length < 2 * MOST_IDLE) {
      this.#idle.push(read, write);
      return;
    }
    close(read);
    close(write);
    this.#budget.give(2);
  }

  /** Gives the idle ones back, to the budget too. */
  release(): void {
    for (const fd of this.#idle) close(fd);
    this.#budget.give(this.#idle.length);
    this.#idle.length = 0;
  }
}
