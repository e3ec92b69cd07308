/** Files of the product and what they import, as a graph: its circles, types included. Used by structure.test.ts. */
import type { Source } from './tree.ts';

/** The ways through each circle: of every file that is in one, the shortest way from it back to itself. */
export function circles(sources: readonly Source[]): Map<string, string[]> {
  const next = new Map(
    sources.map(({ path, imports }) => [path, new Set(imports.flatMap((wanted) => wanted.path ?? []))]),
  );
  const found = new Map<string, string[]>();
  for (const { path } of sources) {
    const way = wayBack(path, next);
    if (way) found.set(path, way);
  }
  return found;
}

/** Breadth first, so the first way back is a shortest one. */
function wayBack(start: string, next: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const from = new Map<string, string>();
  const queue = [start];
  for (const at of queue)
    for (const to of next.get(at) ?? []) {
      if (to === start) return way(start, at, from);
      if (from.has(to)) continue;
      from.set(to, at);
      queue.push(to);
    }
  return undefined;
}

function way(start: string, last: string, from: ReadonlyMap<string, string>): string[] {
  const steps = [start];
  for (let at = last; at !== start; at = from.get(at) ?? start) steps.unshift(at);
  return [start, ...steps];
}
