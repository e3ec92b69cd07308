/**
 * `--background`: `up` as a process without a parent, while this one waits until everything listens, or fails with it.
 * `systemctl reload` runs it so, because its command has to end. Called by `up`.
 */
import { spawn } from 'node:child_process';
import process from 'node:process';

const FLAG = '--background';

export function isInBackground(args: readonly string[]): boolean {
  return args.includes(FLAG);
}

/** Resolves with the exit code. The other process has said what stood in the way. */
export function startInBackground(args: readonly string[]): Promise<number> {
  const [main = ''] = process.argv.slice(1);
  const up = [process.execPath, ...process.execArgv, main, 'up', ...args.filter((arg) => arg !== FLAG)];
  // order: the shell is gone before the other one says that it is the service. systemd waits, when it stops a service, only
  // for a process that is its own child by then; any other it kills at once.
  const shell = spawn('/bin/sh', ['-c', '"$@" &', 'sh', ...up], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise<number>((resolve) => {
    shell
      .once('message', () => resolve(0))
      .once('disconnect', () => resolve(1))
      .once('error', () => resolve(1));
  }).finally(() => {
    if (shell.connected) shell.disconnect();
  });
}

/** Everything listens: the command that waits for it in the foreground may end. */
export function tellForeground(): void {
  // One that has gone hears nothing.
  process.send?.('ready', undefined, undefined, () => {});
}
