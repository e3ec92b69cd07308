/**
 * Calls to engines: at most so many at a time, an answer within five seconds or the caller is told, and an engine that
 * throws is an engine that refuses. It knows no rule. placements.ts owns one.
 */
import type { Clock } from '../../lib/clock.ts';
import { createGate } from '../gate.ts';
import type { Applied, Engine } from '../../engines/engine.ts';
import type { EngineName } from '../../engines/registry.ts';

/** limit: enough to keep engine threads busy, few enough that one change among 100,000 gets its turn at once. */
const AT_ONCE = 64;
/** An engine that has not answered by then no longer holds up the ack, nor other rules. */
export const LATE_MS = 5_000;

/** Told that the engine is late, and that it is not any more. */
export type Lateness = (isLate: boolean) => void;

export class EngineCalls {
  readonly #running: ReadonlyMap<EngineName, Engine>;
  readonly #clock: Clock;
  readonly #gate = createGate(AT_ONCE);

  constructor(running: ReadonlyMap<EngineName, Engine>, clock: Clock) {
    this.#running = running;
    this.#clock = clock;
  }

  /** Never rejects. */
  async call(name: EngineName, run: (engine: Engine) => Promise<Applied>, lateness: Lateness): Promise<Applied> {
    const engine = this.#running.get(name);
    if (!engine) return { ok: false, reason: `the ${name} engine is gone` };
    const leave = await this.#gate.enter();
    const late = this.#clock.after(LATE_MS, () => {
      leave();
      lateness(true);
    });
    try {
      return await run(engine);
    } catch (error) {
      return { ok: false, reason: `the ${name} engine failed: ${(error as Error).message}` };
    } finally {
      late.cancel();
      leave();
      lateness(false);
    }
  }
}
