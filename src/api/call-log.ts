/**
 * What the log says of calls. Writes and refusals are what an operator asks it about; reads are many. Refusals cost their
 * sender nothing, so only so many a second get a line each: signed and unsigned ones are counted apart, so that a stranger
 * does not hide what a user of the house was told. The rest is one line a second with their sum. Used by pipeline.ts.
 */
import { BUDGETS } from '../config/budgets.ts';
import type { Fault } from '../faults/fault.ts';
import type { Clock } from '../lib/clock.ts';
import { TokenBucket } from '../lib/token-bucket.ts';
import type { Log } from '../observe/log.ts';
import type { Call } from './call.ts';

const LINES = BUDGETS['refusal-log-lines'].most;
const SUM_MS = 1_000;
/** limit: addresses that a sum tells apart. */
const PEERS = 1_000;

export class CallLog {
  readonly #log: Log;
  readonly #signed: Refusals;
  readonly #unsigned: Refusals;

  constructor(log: Log, clock: Pick<Clock, 'monotonic' | 'after'>) {
    this.#log = log;
    this.#signed = new Refusals(log, clock, true);
    this.#unsigned = new Refusals(log, clock, false);
  }

  add(call: Call, fault: Fault | undefined, ms: number): 'logged' | 'summed' {
    const code = fault?.code ?? 'OK';
    const signed = call.caller !== undefined;
    if (fault && !(signed ? this.#signed : this.#unsigned).hasRoom(code, call.raw.peer)) return 'summed';
    const facts = {
      requestId: call.requestId,
      action: call.actionName ?? 'unknown',
      code,
      ...(fault?.detail !== undefined && { why: fault.detail }),
      account: call.caller?.account,
      user: call.caller?.user,
      ...(call.revision !== undefined && { revision: call.revision }),
      peer: call.raw.peer,
      ms: Math.round(ms * 10) / 10,
    };
    if (fault || call.action.access === 'write') this.#log.info('api', facts);
    else this.#log.debug('api', facts);
    return 'logged';
  }
}

class Refusals {
  readonly #log: Log;
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly #signed: boolean;
  readonly #bucket: TokenBucket;
  readonly #codes = new Map<string, number>();
  readonly #peers = new Set<string>();

  constructor(log: Log, clock: Pick<Clock, 'monotonic' | 'after'>, signed: boolean) {
    this.#log = log;
    this.#clock = clock;
    this.#signed = signed;
    this.#bucket = new TokenBucket(LINES, LINES, clock.monotonic());
  }

  /** Whether a line may be written; otherwise the refusal is in the next sum. */
  hasRoom(code: string, peer: string): boolean {
    if (this.#bucket.take(this.#clock.monotonic())) return true;
    if (this.#codes.size === 0) this.#clock.after(SUM_MS, () => this.#tell());
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    if (this.#peers.size < PEERS) this.#peers.add(peer);
    return false;
  }

  #tell(): void {
    const codes = [...this.#codes].sort(([, a], [, b]) => b - a);
    const calls = codes.reduce((sum, [, count]) => sum + count, 0);
    this.#log.info('refusals that have no line of their own', {
      signed: this.#signed,
      calls,
      peers: this.#peers.size,
      codes: codes.map(([code, count]) => `${code} ${count}`).join(', '),
    });
    this.#codes.clear();
    this.#peers.clear();
  }
}
