/**
 * The states of targets by their number, a byte each for the state and for the share of turns that one takes which starts slowly,
 * and since when one is not up: asked at each choice of a target, so that a change costs a write or two, whatever the number of
 * rules. Memory that threads share is one table for all of them. It refuses to choose (pick.ts) and to judge (edge/health).
 * Engines have one each.
 */
import type { OriginState } from '../../domain/fact/health.ts';
import type { TargetState } from '../engine.ts';
import { NEVER } from './verdict.ts';

/** `TRYING`: its one connection is taken. Nothing else new goes there, and the session that was taken stays. */
const BYTE = { up: 0, down: 1, try: 2 } as const satisfies Record<OriginState, number>;
const TRYING = 3;
/** Shares are parts of so many; 0 stands for whole. */
const WHOLE = 256;
/** limit: eleven bytes each; a target with a higher number is up always. */
export const MOST_TARGETS = 1 << 20;

export class TargetStates {
  /** For another thread's table. */
  readonly memory: SharedArrayBuffer;
  readonly #bytes: Uint8Array;
  readonly #shares: Uint8Array;
  /** Turns so far, of those that start slowly; they run over, and the count goes on. */
  readonly #turns: Uint8Array;
  /** When each was up last. */
  readonly #since: Float64Array;

  /** `memory`: of another thread's table; a page of it becomes memory when it is written. */
  constructor(memory = new SharedArrayBuffer(11 * MOST_TARGETS)) {
    this.memory = memory;
    this.#bytes = new Uint8Array(memory, 0, MOST_TARGETS);
    this.#shares = new Uint8Array(memory, MOST_TARGETS, MOST_TARGETS);
    this.#since = new Float64Array(memory, 2 * MOST_TARGETS, MOST_TARGETS);
    this.#turns = new Uint8Array(memory, 10 * MOST_TARGETS, MOST_TARGETS);
  }

  /**
   * `now`: by the clock that downSince() is compared with. order: the state last, so that no thread finds one up and whole that
   * is to start slowly, or one down without its time.
   */
  set({ target, state, share = 0 }: TargetState, now: number): void {
    if (target >= MOST_TARGETS) return;
    if (state !== 'up' && this.isUp(target)) this.#since[target] = now;
    Atomics.store(this.#shares, target, share);
    Atomics.store(this.#bytes, target, BYTE[state]);
  }

  /** Nothing that is known speaks against it. */
  isUp(target: number): boolean {
    return (this.#bytes[target] ?? BYTE.up) === BYTE.up;
  }

  /** Nothing new goes there while another target can take it. */
  isShut(target: number): boolean {
    const byte = this.#bytes[target];
    return byte === BYTE.down || byte === TRYING;
  }

  /** Since when it is not up, where it is down; NEVER: it is not. A try in between does not begin that time anew. */
  downSince(target: number): number {
    const isDown = target < MOST_TARGETS && Atomics.load(this.#bytes, target) === BYTE.down;
    return isDown ? this.#since[target]! : NEVER;
  }

  /** UDP sessions that it has go elsewhere while another target can take them. */
  isLeft(target: number): boolean {
    return this.#bytes[target] === BYTE.down;
  }

  /** A new connection or session goes there. False: it was open for one only, and another thread was faster. */
  take(target: number): boolean {
    if (this.#bytes[target] !== BYTE.try) return true;
    return Atomics.compareExchange(this.#bytes, target, BYTE.try, TRYING) === BYTE.try;
  }

  /** It takes all of its turns. */
  isWhole(target: number): boolean {
    return (this.#shares[target] ?? 0) === 0;
  }

  /** It takes the turn that it has now; of 256 turns, as many as its share says, evenly spread. */
  admits(target: number): boolean {
    const share = this.#shares[target] ?? 0;
    return share === 0 || (Atomics.add(this.#turns, target, 1) * share) % WHOLE < share;
  }

  /** Which part of its turns is for it, where turns are dealt beforehand: 0 where it is shut, 1 where it takes all. */
  partOf(target: number): number {
    return this.isShut(target) ? 0 : (this.#shares[target] || WHOLE) / WHOLE;
  }
}
