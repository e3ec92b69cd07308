/**
 * Datagrams that found a socket's buffer full. The kernel drops them before a relay sees them, and counts them per socket;
 * it is asked now and then, and when a socket goes. It refuses to ask all at once. Called by
 * worker.ts, udp.ts, sessions.ts and handoff.ts.
 */
import { getsockopt } from '../../../linux/ffi/libc.ts';
import { SOL_SOCKET, SO_MEMINFO } from '../../../linux/abi.ts';
import { DROP } from '../worker/counters.ts';
import { serving } from '../worker/rule.ts';
import type { Entry, Rule } from '../worker/rule.ts';

/** SK_MEMINFO_VARS, and the place of SK_MEMINFO_DROPS among them. */
const VARIABLES = 9;
const DROPS = 8;
const memory = new Uint32Array(VARIABLES);
const length = Int32Array.of(4 * VARIABLES);

/** limit: sockets that are asked at once; a rule of 10,000 ports must not hold up datagrams. */
const ASKED_AT_ONCE = 64;

/** How many the socket has dropped since it was opened. */
export function dropsOf(fd: number): number {
  length[0] = 4 * VARIABLES;
  return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, length) < 0 ? 0 : memory[DROPS]!;
}

/** Counts a socket's drops beyond `known` for its rule; answers its drops so far. */
export function countDrops(rule: Rule, fd: number, known: number): number {
  const drops = dropsOf(fd);
  rule.row[DROP.overflow]! += Math.max(0, drops - known);
  return drops;
}

/** Takes the bound sockets in turn. */
export class SocketDrops {
  #rest: Generator<Entry> | undefined;

  look(rules: ReadonlyMap<number, Rule>): void {
    this.#rest ??= serving(rules, 'UDP');
    for (let i = 0; i < ASKED_AT_ONCE; i++) {
      const { value: entry, done } = this.#rest.next();
      if (done) {
        this.#rest = undefined;
        return;
      }
      entry.overflowed = countDrops(entry.rule, entry.fd, entry.overflowed);
    }
  }
}
