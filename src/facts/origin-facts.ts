/** The health of origins as edges told it last, for /metrics. The door (facts.ts) passes reports in; a restart forgets it. */
import type { OriginsReport } from '../domain/fact/health.ts';

export class OriginFacts {
  readonly #edges = new Map<string, OriginsReport>();

  report(edge: string, health: OriginsReport): void {
    this.#edges.set(edge, health);
  }

  forget(isEdge: (edge: string) => boolean): void {
    for (const edge of this.#edges.keys()) if (!isEdge(edge)) this.#edges.delete(edge);
  }

  ofEdges(): ReadonlyMap<string, OriginsReport> {
    return this.#edges;
  }
}
