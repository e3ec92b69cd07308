/** Failures of all edges, filed by rule and instance, so that asking for one costs its own failures only. Used by acks.ts. */
import type { Failure } from '../../domain/fact/ack.ts';
import type { EdgeState } from './edge-state.ts';

export class Failures {
  /** Rule or instance → the edges that could not apply it, and why. */
  readonly #failed = new Map<string, Map<EdgeState, string>>();

  of(id: string): Iterable<[EdgeState, string]> {
    return this.#failed.get(id) ?? [];
  }

  /** All that the edge has failed now. True: something is different. */
  replace(edge: EdgeState, failed: readonly Failure[]): boolean {
    const before = edge.failed;
    edge.failed = new Map(failed.map(({ id, reason }) => [id, reason]));
    for (const id of before.keys()) if (!edge.failed.has(id)) this.#remove(edge, id);
    let isNews = before.size !== edge.failed.size;
    for (const [id, reason] of edge.failed) {
      if (before.get(id) === reason) continue;
      isNews = true;
      const edges = this.#failed.get(id);
      if (edges) edges.set(edge, reason);
      else this.#failed.set(id, new Map([[edge, reason]]));
    }
    return isNews;
  }

  #remove(edge: EdgeState, id: string): void {
    const edges = this.#failed.get(id);
    edges?.delete(edge);
    if (edges?.size === 0) this.#failed.delete(id);
  }
}
