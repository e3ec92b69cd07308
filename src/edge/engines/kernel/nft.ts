/**
 * nft as a child process: one transaction per run, applied whole or not at all. Changes that come while one is under way
 * go together in the next; where that is refused, each goes alone, so that one bad rule stops no other. Called by the
 * engine; knows nothing of rules.
 */
import { spawn } from 'node:child_process';

/** What nft said; empty where it did what it was told. */
export type Refusal = string;

/** Runs `nft` with a text on its input. Never rejects. */
export function runNft(text: string, ...flags: string[]): Promise<Refusal> {
  return new Promise((resolve) => {
    const child = spawn('nft', [...flags, '-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors = (errors + chunk).slice(0, 4096)));
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? 'nft is not installed (package nftables)' : `nft: ${error.message}`),
    );
    child.on('close', (code) => resolve(code === 0 ? '' : reasonOf(errors) || `nft ended with ${code}`));
    // It may end before it has read everything.
    child.stdin.on('error', () => {});
    child.stdin.end(text);
  });
}

/** `Could not process rule: File exists` of `/dev/stdin:1:43-61: Error: Could not process rule: File exists`. */
function reasonOf(errors: string): string {
  const line = errors.split('\n').find((line) => line.includes('Error: ')) ?? errors.split('\n')[0] ?? '';
  return line.slice(line.indexOf('Error: ') + (line.includes('Error: ') ? 7 : 0)).trim();
}

export interface Writer {
  /** Resolves once the statements are in force, or with why they are not. */
  write(lines: readonly string[]): Promise<Refusal>;
  /** Resolves when everything written so far is decided. */
  settled(): Promise<void>;
}

interface Waiting {
  readonly text: string;
  readonly resolve: (refusal: Refusal) => void;
}

/** limit: one transaction of that many characters takes about a second; more would hold up a small change behind it. */
const MOST_AT_ONCE = 4_000_000;

export function createWriter(run: (text: string) => Promise<Refusal>): Writer {
  let waiting: Waiting[] = [];
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const batch = take();
      const refusal = await run(batch.map(({ text }) => text).join(''));
      if (refusal === '' || batch.length === 1) for (const { resolve } of batch) resolve(refusal);
      else for (const { text, resolve } of batch) resolve(await run(text));
    }
  }

  function take(): Waiting[] {
    let size = 0;
    const count = waiting.findIndex(({ text }) => (size += text.length) > MOST_AT_ONCE);
    const batch = waiting.slice(0, count < 0 ? waiting.length : Math.max(1, count));
    waiting = waiting.slice(batch.length);
    return batch;
  }

  return {
    write(lines) {
      if (lines.length === 0) return Promise.resolve('');
      return new Promise((resolve) => {
        waiting.push({ text: lines.map((line) => `${line}\n`).join(''), resolve });
        working ??= work().finally(() => (working = undefined));
      });
    },
    async settled() {
      while (working) await working;
    },
  };
}
