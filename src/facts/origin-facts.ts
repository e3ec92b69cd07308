/** The health of origins as edges told it last, for /metrics. The door (facts.ts) passes reports in; a restart forgets it. */
import type { HealthReport } from '../domain/fact/health.ts';
import type { OriginReader } from './readers.ts';

export class OriginFacts implements OriginReader {
  readonly #edges = new Map<string, HealthReport>();

  report(edge: string, health: HealthReport): void {
    this.#edges.set(edge, health);
  }

  forget(isEdge: (edge: string) => boolean): void {
    for (const edge of this.#edges.keys()) if (!isEdge(edge)) this.#edges.delete(edge);
  }

  ofEdges(): ReadonlyMap<string, HealthReport> {
    return this.#edges;
  }
}
