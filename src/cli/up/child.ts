/** Starts a role of this program as a child of this process, which waits for the word to begin. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { childEnvironment } from '../../config/read.ts';
import type { Log } from '../../observe/log.ts';
import { CONTROL_FLAGS } from '../../program/v8-flags.ts';

export function startChild(role: 'control' | 'edge', args: readonly string[]): ChildProcess {
  const [main = ''] = process.argv.slice(1);
  const flags = role === 'control' ? CONTROL_FLAGS : [];
  const child = spawn(process.execPath, [...process.execArgv, ...flags, main, role, ...args], {
    env: childEnvironment(role),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  // supervised-child.ts hears of its end; an error event without a listener would end this process.
  return child.on('error', () => {});
}

/** The same after a death; undefined where the program is not there (moved, or just being installed), which is said once. */
export function restarts(role: 'control' | 'edge', log: Log): (args: readonly string[]) => ChildProcess | undefined {
  let told = false;
  return (args) => {
    const [main = ''] = process.argv.slice(1);
    const missing = [process.execPath, main].find((path) => !existsSync(path));
    if (missing === undefined) {
      told = false;
      return startChild(role, args);
    }
    if (!told)
      log.error(
        `${role} can't be started again, because the program is not there: put it back, or start it from where it is now with up --upgrade`,
        { missing },
      );
    told = true;
    return undefined;
  };
}
