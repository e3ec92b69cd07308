/**
 * An edge hands over to the next one, or takes over: the words of docs/explanation/upgrade.md for an edge. Each part knows
 * what to do at a word; this file knows the order. It says too whether the edge has a successor. The agent owns one.
 */
import type { HandedSession } from '../engines/engine.ts';
import type { EngineSet } from '../engines/hosting/engine-set.ts';
import type { Edge } from './edge.ts';
import type { Follower } from './follower.ts';
import type { Guard } from './guard/guard.ts';
import type { LastGood } from './last-good/last-good.ts';
import type { Predecessor } from './predecessor.ts';
import type { Reconciler } from './reconcile/reconcile.ts';
import type { Reporter } from './report/reporter.ts';
import type { Tables } from './tables/tables.ts';

interface SuccessionParts {
  readonly predecessor: Predecessor;
  readonly engines: Pick<EngineSet, 'succession'>;
  readonly reconciler: Reconciler;
  readonly follower: Follower;
  readonly reporter: Reporter;
  readonly lastGood: LastGood;
  readonly guard: Guard;
  readonly tables: Tables;
}

type Words = Edge['succession'];

export class EdgeSuccession implements Words {
  readonly #parts: SuccessionParts;
  #hasSuccessor = false;
  #isEnded = false;

  constructor(parts: SuccessionParts) {
    this.#parts = parts;
  }

  /** The next process has, or is about to get, what this one serves. */
  get hasSuccessor(): boolean {
    return this.#hasSuccessor;
  }

  async begin(): Promise<void> {
    const { predecessor, engines, reconciler } = this.#parts;
    predecessor.begin();
    await engines.succession.begin();
    reconciler.begin();
  }

  async rest(): Promise<void> {
    const { follower, reporter, lastGood, guard } = this.#parts;
    await follower.stop();
    // Control hears of this edge from the next one.
    reporter.disconnected();
    await Promise.all([lastGood.rest(), guard.rest()]);
  }

  handOver(): Promise<readonly HandedSession[]> {
    this.#hasSuccessor = true;
    return this.#parts.engines.succession.handOver();
  }

  async pause(): Promise<void> {
    await this.#parts.engines.succession.pause();
    this.#parts.tables.rest();
  }

  async resume(): Promise<void> {
    if (this.#isEnded) return;
    const { follower, engines, lastGood, guard, tables } = this.#parts;
    this.#hasSuccessor = false;
    tables.resume();
    await engines.succession.resume();
    await lastGood.resume();
    guard.resume();
    follower.start();
  }

  /** The edge stops: it does not come back. */
  end(): void {
    this.#isEnded = true;
  }
}
