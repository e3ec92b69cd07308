/**
 * The names that a file exports, and whether any file imports them: by name, all at once (`* as x`), late (`await import`),
 * or in a worker thread that is told the name (`factory: 'x'`). Not a parser; used by structure.test.ts.
 */
import { posix } from 'node:path';
import type { Source } from './tree.ts';

const DECLARED =
  /^export (?:declare )?(?:async )?(?:abstract )?(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;
const LISTED = /^export (?:(?:type |const )?\{([^}]*)\}(?! from)|const \[([^\]]*)\])/gm;
const NOW = /\b(?:import|export)\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|(\{[^}]*\}))\s+from\s+'(\.[^']+)'/g;
const LATE =
  /(?:\{([^{}]*)\}\s*=\s*await\s+)?\(?\b(?:await\s+)?import\(\s*'(\.[^']+)'\s*\)\)?(?:\.(?!then\b|catch\b)(\w+))?/g;
const TOLD = /\bfactory: '(\w+)'/g;

/** Every name of the file. */
const ALL = '*';

export function exportedNames({ code }: Source): string[] {
  const listed = [...code.matchAll(LISTED)].flatMap(([, list = '', tuple = list]) =>
    words(tuple).map((word) => word.at(-1) ?? ''),
  );
  return [...new Set([...[...code.matchAll(DECLARED)].map(([, name = '']) => name), ...listed])];
}

/** By file, the names that other files import from it. */
export function importedNames(sources: readonly Source[]): (path: string, name: string) => boolean {
  const used = new Map<string, Set<string>>();
  const told = new Set<string>();
  for (const { path, code } of sources) {
    const use = (specifier: string, names: readonly string[]): void => {
      const target = posix.join(posix.dirname(path), specifier);
      const its = used.get(target) ?? new Set();
      used.set(target, its);
      for (const name of names) its.add(name);
    };
    for (const [, list, specifier = ''] of code.matchAll(NOW))
      use(specifier, list === undefined ? [ALL] : firsts(list));
    for (const [, list, specifier = '', member] of code.matchAll(LATE))
      use(specifier, list === undefined ? [member ?? ALL] : firsts(list));
    for (const [, name = ''] of code.matchAll(TOLD)) told.add(name);
  }
  return (path, name) => told.has(name) || [name, ALL].some((word) => used.get(path)?.has(word));
}

const firsts = (list: string): string[] => words(list).map((word) => word[0] ?? '');

/** `{ a, type B as C, d: e }` as `[a] [B, C] [d, e]`. */
function words(list: string): string[][] {
  return list
    .replace(/[{}]/g, '')
    .split(',')
    .map((word) => word.trim().replace(/^type\s+/, ''))
    .filter((word) => word !== '')
    .map((word) => word.split(/\s+as\s+|\s*:\s*/));
}
