/**
 * The tree as the house tests see it: every file of ours with its text, its code without comments and strings, and what
 * it imports. Reads files, changes none.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { bare } from './bare.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The file in the tree it names; undefined for packages and node: modules. */
  readonly path: string | undefined;
  /** Types only: gone at run time. */
  readonly types: boolean;
  /** import(…): loaded when asked for. */
  readonly late: boolean;
}

export interface File {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Source extends File {
  /** Without comments; strings kept. */
  readonly code: string;
  /** Without comments and without what strings say. */
  readonly skeleton: string;
  readonly imports: readonly Import[];
  readonly isTest: boolean;
}

const ABSENT = new Set(['node_modules', '.git', '.edgefour', 'runs', 'testdata']);
const PARTS = new Set(['.ci', 'bench', 'bin', 'console', 'deploy', 'docs', 'examples', 'src', 'test']);

function walk(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (ABSENT.has(entry.name)) return [];
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return folder !== '' || PARTS.has(entry.name) ? walk(path) : [];
    return entry.isFile() ? [path] : [];
  });
}

let all: readonly File[] | undefined;

/** Every text file of ours; the lock file is npm's. */
export function files(): readonly File[] {
  all ??= walk('')
    .filter((path) => path !== 'package-lock.json' && !/\.(png|ico|svg|woff2|gz|bin)$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
  return all;
}

let read: readonly Source[] | undefined;

/** Every TypeScript file of ours. */
export function sources(): readonly Source[] {
  read ??= files()
    .filter(({ path }) => path.endsWith('.ts'))
    .map((file) => source(file));
  return read;
}

export function isTestFile(path: string): boolean {
  return path.startsWith('test/') || /\.(test|root|fuzz|fault|fixture)\.ts$/.test(path);
}

/** The product without its tests. */
export function product(): readonly Source[] {
  return sources().filter(({ path, isTest }) => path.startsWith('src/') && !isTest);
}

function source({ path, text }: File): Source {
  const { code, skeleton } = bare(text);
  return { path, text, code, skeleton, imports: imports(path, code), isTest: isTestFile(path) };
}

const IMPORT =
  /\b(?:(import|export)\s+(type\s)?[^;'"()]*?from\s+|import\s+)(?:'([^']+)')|\bimport\(\s*'([^']+)'\s*\)(\.\w)?/g;

function imports(path: string, code: string): Import[] {
  return [...code.matchAll(IMPORT)].map((match) => {
    const specifier = match[3] ?? match[4] ?? '';
    const named = match[0]
      .match(/\{([^}]*)\}/)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '');
    const onlyTypes = named !== undefined && named.every((name) => /^\s*type\s/.test(name));
    const relative = specifier.startsWith('.');
    return {
      specifier,
      path: relative ? posix.join(posix.dirname(path), specifier) : undefined,
      // `import('x').T` in a type position is gone at run time as well.
      types: match[2] !== undefined || onlyTypes || match[5] !== undefined,
      late: match[4] !== undefined,
    };
  });
}

/** Where a match in the code or the skeleton stands, for a message: `src/a.ts:12`. */
export function lineOf(source: Source, { index, input }: RegExpExecArray): string {
  return `${source.path}:${input.slice(0, index).split('\n').length}`;
}
