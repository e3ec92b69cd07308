/**
 * Mutants of a file, made by Stryker's instrumenter: each is one place in the text and what stands there instead. Stryker
 * itself is not used: it wants a TypeScript that has its old API, and chooses by coverage which tests to run, where the
 * promise here is about the tests of a file.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../house/tree.ts';

const INSTRUMENTER = '@stryker-mutator/instrumenter@10.1.1';
const PLACE = join(ROOT, 'node_modules', '.cache', 'mutants');

export interface Mutant {
  readonly path: string;
  readonly mutator: string;
  /** Offsets into the text. */
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly replacement: string;
}

interface Position {
  readonly line: number;
  readonly column: number;
}
interface Found {
  readonly mutatorName: string;
  readonly replacement: string;
  readonly location: { readonly start: Position; readonly end: Position };
}
interface Instrumenter {
  instrument(
    files: readonly { name: string; content: string; mutate: boolean }[],
    options: object,
  ): Promise<{ readonly mutants: readonly Found[] }>;
}

/** Installs the instrumenter at its first use, apart from the product's packages. */
export async function openMutator(): Promise<(path: string, text: string) => Promise<Mutant[]>> {
  const main = join(PLACE, 'node_modules', '@stryker-mutator', 'instrumenter', 'dist', 'src', 'index.js');
  if (!existsSync(main))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', PLACE, INSTRUMENTER], {
      stdio: 'inherit',
    });
  const { Instrumenter } = (await import(pathToFileURL(main).href)) as {
    Instrumenter: new (log: unknown) => Instrumenter;
  };
  const silent = new Proxy({}, { get: () => () => false });
  const instrumenter = new Instrumenter(silent);
  const options = { ignorers: [], excludedMutations: [], plugins: null, noHeader: true };
  return async (path, content) => {
    const starts = lineStarts(content);
    const offset = ({ line, column }: Position): number => starts[line]! + column;
    const { mutants } = await instrumenter.instrument([{ name: path, content, mutate: true }], options);
    return mutants.map(({ mutatorName, replacement, location: { start, end } }) => ({
      path,
      mutator: mutatorName,
      from: offset(start),
      to: offset(end),
      line: start.line + 1,
      replacement,
    }));
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
