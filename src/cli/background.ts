/**
 * `--background`: `up` as a process that outlives the one that was called, which ends once everything listens, or with the
 * code of one that ended before. What `systemctl reload` runs: its command has to end. Called by `up`.
 */
import { spawn } from 'node:child_process';
import process from 'node:process';
import type { FlagTable } from '../config/flags.ts';

export const BACKGROUND = {
  background: { help: 'Return once everything listens; it goes on in the background.' },
} as const satisfies FlagTable;

const FLAG = '--background';

export function isInBackground(args: readonly string[]): boolean {
  return args.includes(FLAG);
}

export function startInBackground(args: readonly string[]): Promise<number> {
  const [main = ''] = process.argv.slice(1);
  const rest = args.filter((arg) => arg !== FLAG);
  const up = spawn(process.execPath, [...process.execArgv, main, 'up', ...rest], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise<number>((resolve) => {
    up.once('message', () => resolve(0))
      .once('exit', (code) => resolve(code ?? 1))
      .once('error', () => resolve(1));
  }).finally(() => {
    if (up.connected) up.disconnect();
    up.unref();
  });
}

/** Everything listens: whoever waits for it in the foreground may go. */
export function tellForeground(): void {
  // One that has gone hears nothing.
  process.send?.('ready', undefined, undefined, () => {});
}
