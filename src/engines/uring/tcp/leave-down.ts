/**
 * TCP connections with origins that are down, as far as their rules don't keep them (flow/verdict.ts): found by a walk through
 * the slots, a part per batch, so that an origin with thousands of them holds up nobody else. It refuses to know states and
 * rules: worker/targets.ts says when a connection has to go. The worker's loop walks, after changes that commands.ts
 * carries out and when the first time is over.
 */
import { portAt } from '../../../linux/sockaddr.ts';
import { NEVER } from '../../flow/verdict.ts';
import { CAUSE } from '../worker/counters.ts';
import { finish } from './connection.ts';
import type { Tcp } from './connection.ts';
import { DIALLING, FREE } from './slots.ts';

/**
 * limit: connections ended per batch. Each leaves two completions, and the kernel hands over twenty with a batch, oldest first:
 * of more, other connections would wait until all are through.
 */
const MOST_ENDS = 8;
/** limit: slots looked at per batch; a tenth of a millisecond. */
const MOST_LOOKS = 8192;
/** limit: how late a connection is seen that was dialled when its origin went down. */
const LOOK_AGAIN_MS = 250;

export class LeaveDown {
  /** The slot to look at next; −1: no walk is under way. */
  #at = -1;
  /** When the next walk begins by itself. */
  #nextAt = NEVER;

  /** The loop must not wait. */
  get isWalking(): boolean {
    return this.#at >= 0;
  }

  /** States or a rule have changed: all connections are looked at from now on. */
  restart(): void {
    this.#at = 0;
    this.#nextAt = NEVER;
  }

  isDue(now: number): boolean {
    return this.#at >= 0 || this.#nextAt <= now;
  }

  /** The next part of a walk. */
  walk(t: Tcp): void {
    if (this.#at < 0) this.restart();
    const { slots: s, clock } = t;
    const stop = Math.min(s.capacity, this.#at + MOST_LOOKS);
    for (let ends = 0; this.#at < stop && ends < MOST_ENDS; this.#at++) {
      const slot = this.#at;
      const at = s.state[slot] === FREE ? NEVER : leavesAt(t, slot);
      if (at === NEVER) continue;
      const isDialling = s.state[slot] === DIALLING;
      const next = isDialling ? Math.max(at, clock.now + LOOK_AGAIN_MS) : at;
      if (next > clock.now) this.#nextAt = Math.min(this.#nextAt, next);
      else {
        finish(t, slot, CAUSE.unhealthy, true);
        ends++;
      }
    }
    if (this.#at >= s.capacity) this.#at = -1;
  }
}

function leavesAt({ slots: s, rules }: Tcp, slot: number): number {
  const target = s.dials.target[slot]!;
  if (target < 0) return NEVER;
  const { targets } = rules.entry(s.entry[slot]!).rule;
  return targets.leavesAt(target, portAt(s.names.bytes, s.names.offset(2 * slot + 1)), s.lives.acceptedAt[slot]!);
}
