/**
 * Changes of the table, one transaction at a time. Those that come while one is under way go together in the next; where
 * that is refused, each goes alone, so that one bad rule stops no other. Knows nothing of rules.
 */
import type { Refusal } from './nft.ts';
import type { Statement } from './transaction.ts';

interface Ways<Set extends string> {
  /** Statements of any kind. */
  readonly nft: (statements: readonly Statement<Set>[]) => Promise<Refusal>;
  /** Quicker; undefined where a statement is of a kind that it can't write. */
  readonly direct: (statements: readonly Statement<Set>[]) => Refusal | undefined;
}

interface Writer<Set extends string> {
  /** Resolves once the statements are in force, or with why they are not. */
  write(statements: readonly Statement<Set>[]): Promise<Refusal>;
  /** Resolves when everything written so far is decided. */
  settled(): Promise<void>;
}

interface Waiting<Set extends string> {
  readonly statements: readonly Statement<Set>[];
  readonly resolve: (refusal: Refusal) => void;
}

/** limit: elements, chains and lines of a transaction: under 16 MB, which is what its socket takes. */
const MOST_AT_ONCE = 80_000;

export function createWriter<Set extends string>({ nft, direct }: Ways<Set>): Writer<Set> {
  let waiting: Waiting<Set>[] = [];
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    // order: all who write in the same turn of the event loop share a transaction.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = waiting.slice(0, atOnce(waiting));
      waiting = waiting.slice(batch.length);
      const refusal = await run(batch.flatMap(({ statements }) => statements));
      if (refusal === '' || batch.length === 1) for (const { resolve } of batch) resolve(refusal);
      else for (const { statements, resolve } of batch) resolve(await run(statements));
    }
  }

  function run(statements: readonly Statement<Set>[]): Refusal | Promise<Refusal> {
    return direct(statements) ?? nft(statements);
  }

  return {
    write(statements) {
      if (statements.length === 0) return Promise.resolve('');
      return new Promise((resolve) => {
        waiting.push({ statements, resolve });
        working ??= work().finally(() => (working = undefined));
      });
    },
    async settled() {
      while (working) await working;
    },
  };
}

/** How many of them go together: one at least. */
function atOnce(waiting: readonly { readonly statements: readonly Statement[] }[]): number {
  let size = 0;
  const first = waiting.findIndex(({ statements }) => {
    size += statements.reduce((sum, one) => sum + sizeOf(one), 0);
    return size > MOST_AT_ONCE;
  });
  return first < 0 ? waiting.length : Math.max(1, first);
}

function sizeOf(one: Statement): number {
  if (typeof one === 'string' || 'map' in one) return 1;
  return 'verb' in one ? one.elements.length : 1 + (one.lines?.length ?? 0);
}
