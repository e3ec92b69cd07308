/** Starts a role of this program as a child of this process, which waits for the word to begin. */
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { childEnvironment } from '../config/read.ts';

export function startChild(role: 'control' | 'edge', args: readonly string[]): ChildProcess {
  const [main = ''] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, main, role, ...args], {
    env: childEnvironment(role),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  // Its end is what keep.ts hears of; an error event without a listener would end this process.
  return child.on('error', () => {});
}
