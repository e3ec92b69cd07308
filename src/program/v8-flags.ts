/**
 * How V8 collects the garbage of control, most of which strangers can cause: calls without a valid signature, bodies that never
 * end. By itself it lets the heap grow to four times what lives in it, and keeps 32 MB for young objects. Used where control
 * is started: by `up`, and by control itself where it runs alone.
 */
import process from 'node:process';

/** limit: 300 peers with bodies that never end cost 60 MB so, and 195 MB without; an honest call costs some 2 % more. */
export const CONTROL_FLAGS: readonly string[] = ['--heap-growing-percent=50', '--max-semi-space-size=8'];

/** Replaces this process by itself with the flags, where it was started without; where a system can't do that it goes on as it is. */
export function runWith(flags: readonly string[]): void {
  const { execPath, execArgv, argv, env, platform } = process;
  if (platform === 'win32' || flags.every((flag) => execArgv.includes(flag))) return;
  process.execve?.(execPath, [execPath, ...execArgv, ...flags, ...argv.slice(1)], env);
}
