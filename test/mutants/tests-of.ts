/**
 * Which tests are those of a file: of all that need no privileges, the ones from which the fewest imports lead to it. Pure
 * but for the tree that it reads.
 */
import { sources } from '../house/tree.ts';

/** limit: beyond it a test is about something else. */
const MOST_STEPS = 3;
/** limit: a mutant is run against each of them. */
const MOST_TESTS = 6;
/** They start whole programs: seconds for each mutant. */
const WHOLE_PROGRAMS = /^test\/(e2e|fault|load|interop)\//;

export function testsOf(): (path: string) => readonly string[] {
  const importers = new Map<string, string[]>();
  for (const { path, imports } of sources())
    for (const imported of imports) {
      if (imported.path === undefined) continue;
      const list = importers.get(imported.path) ?? [];
      importers.set(imported.path, list);
      list.push(path);
    }
  const isTest = (path: string): boolean => path.endsWith('.test.ts') && !WHOLE_PROGRAMS.test(path);
  return (path) => {
    const seen = new Set([path]);
    let ring = [path];
    for (let step = 0; step < MOST_STEPS; step++) {
      ring = ring.flatMap((at) => importers.get(at) ?? []).filter((at) => !seen.has(at) && seen.add(at));
      const tests = [...new Set(ring.filter(isTest))];
      if (tests.length > 0) return nearest(path, tests).slice(0, MOST_TESTS);
    }
    return [];
  };
}

/** The one beside it first. */
function nearest(path: string, tests: readonly string[]): string[] {
  const beside = path.replace(/\.ts$/, '.test.ts');
  return tests.toSorted((a, b) => Number(b === beside) - Number(a === beside) || a.length - b.length);
}
