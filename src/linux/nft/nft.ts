/** nft as a child process: one transaction per run, applied whole or not at all. */
import { spawn } from 'node:child_process';

/** nft's complaint; empty where it did what it was told. */
export type Refusal = string;

/** limit: the biggest table takes seconds; one that takes minutes hangs, and would hold up everything behind it. */
const MOST_MS = 120_000;

/** Runs `nft` with a text on its input. Never rejects. */
export function runNft(text: string, ...flags: string[]): Promise<Refusal> {
  return new Promise((resolve) => {
    const child = spawn('nft', [...flags, '-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'], timeout: MOST_MS });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors = (errors + chunk).slice(0, 4096)));
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ENOENT' ? 'nft is not installed (package nftables)' : `nft: ${error.message}`),
    );
    child.on('close', (code, signal) =>
      resolve(code === 0 ? '' : reasonOf(errors) || `nft ended with ${code ?? signal}`),
    );
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
