/**
 * The states of targets as one byte each, by their number: asked at each choice of a target, so that a change costs one write,
 * whatever the number of rules. Memory that threads share is one table for all of them. It refuses to choose (pick.ts) and
 * to judge (edge/health). Engines have one each.
 */
import type { OriginState } from '../../domain/fact/health.ts';
import type { TargetState } from '../engine.ts';

/** `TRYING`: its one connection is taken. Nothing else new goes there, and the session that was taken stays. */
const BYTE = { up: 0, down: 1, try: 2 } as const satisfies Record<OriginState, number>;
const TRYING = 3;
/** limit: a byte each; a target with a higher number is up always. */
export const MOST_TARGETS = 1 << 20;

export class TargetStates {
  /** For another thread's table. */
  readonly memory: SharedArrayBuffer;
  readonly #bytes: Uint8Array;

  /** `memory`: of another thread's table. */
  constructor(memory = new SharedArrayBuffer(MOST_TARGETS)) {
    this.memory = memory;
    this.#bytes = new Uint8Array(memory);
  }

  set({ target, state }: TargetState): void {
    if (target < this.#bytes.length) Atomics.store(this.#bytes, target, BYTE[state]);
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

  /** UDP sessions that it has go elsewhere while another target can take them. */
  isLeft(target: number): boolean {
    return this.#bytes[target] === BYTE.down;
  }

  /** A new connection or session goes there. False: it was open for one only, and another thread was faster. */
  take(target: number): boolean {
    if (this.#bytes[target] !== BYTE.try) return true;
    return Atomics.compareExchange(this.#bytes, target, BYTE.try, TRYING) === BYTE.try;
  }
}
