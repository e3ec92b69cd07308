/**
 * Origins that came back and take more and more of their turns, until it is all of them: since when each is back says which
 * share it takes, so that a restart of the edge begins none anew. Pure: time is an argument (monotonic milliseconds).
 * origin-watch.ts has one.
 */
import type { OriginState } from '../../domain/fact/health.ts';
import type { TargetState } from '../../engines/engine.ts';

/** What says how an origin starts. */
interface Start {
  /** Undefined: it was never out of use, and takes all from the start. */
  readonly backSince: number | undefined;
  /** 0: at once. */
  readonly slowStartSeconds: number;
}

interface Going {
  readonly since: number;
  readonly stepMs: number;
  /** The one that engines know of. */
  step: number;
}

/** limit: each is a change of the table under the kernel engine, which deals out eighths. */
const STEPS = 8;
/** Of 256. The first step takes half of one, so that all of them together are half of the time at whole. */
const STEP = 32;

export class SlowStarts {
  readonly #going = new Map<number, Going>();

  /** Its state, as engines are to be told of it. May be called twice. */
  begin(target: number, state: OriginState, { backSince, slowStartSeconds }: Start, at: number): TargetState {
    this.#going.delete(target);
    if (state !== 'up' || backSince === undefined || slowStartSeconds <= 0) return { target, state };
    const stepMs = (slowStartSeconds * 1_000) / STEPS;
    const going = { since: backSince, stepMs, step: stepAt(backSince, stepMs, at) };
    if (going.step < STEPS) this.#going.set(target, going);
    return told(target, going.step);
  }

  /** True: it was on its way. */
  end(target: number): boolean {
    return this.#going.delete(target);
  }

  /** Undefined: none is on its way. */
  nextDue(): number | undefined {
    const times = this.#going.values().map(({ since, stepMs, step }) => since + (step + 1) * stepMs);
    const next = Math.min(...times);
    return next === Infinity ? undefined : next;
  }

  /** Those that take more by now. */
  due(at: number): TargetState[] {
    return [...this.#going].flatMap(([target, going]) => {
      const step = stepAt(going.since, going.stepMs, at);
      if (step === going.step) return [];
      going.step = step;
      if (step >= STEPS) this.#going.delete(target);
      return [told(target, step)];
    });
  }
}

function stepAt(since: number, stepMs: number, at: number): number {
  return Math.min(STEPS, Math.max(0, Math.floor((at - since) / stepMs)));
}

function told(target: number, step: number): TargetState {
  return { target, state: 'up', ...(step < STEPS && { share: STEP / 2 + step * STEP }) };
}
