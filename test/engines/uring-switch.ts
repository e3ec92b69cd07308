/**
 * io_uring switched off for the whole machine as long as somebody needs it (kernel.io_uring_disabled=2), and then as it
 * was, whatever becomes of him: a shell holds a pipe of this process and puts the old value back when that ends. It
 * refuses to share: whoever tests io_uring at the same time has none. Called by root suites and by `npm run test:no-uring`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const SWITCH = '/proc/sys/kernel/io_uring_disabled';

/** Why it can't be done here. */
export function whyNotSwitched(): string | undefined {
  if (process.getuid?.() !== 0) return 'switching io_uring off needs root';
  const value = switchValue();
  if (value === undefined) return 'this kernel has no switch for io_uring (kernel.io_uring_disabled, Linux 6.6)';
  return value === '2' ? undefined : whyReadOnly();
}

/** `0`, `1` or `2`; undefined: no such switch. */
export function switchValue(): string | undefined {
  try {
    return readFileSync(SWITCH, 'latin1').trim();
  } catch {
    return undefined;
  }
}

/** Off from when this resolves until the result is disposed of, or this process is gone. */
export async function withoutUring(): Promise<AsyncDisposable> {
  const before = switchValue();
  if (before === undefined) throw new Error(whyNotSwitched());
  // not: a handler of signals. One of them can't be handled, and an interrupt at a terminal would reach both: it has a
  // session of its own, and ends with the pipe.
  const guard = spawn('sh', ['-c', `echo 2 >${SWITCH} && echo off; cat >/dev/null; echo ${before} >${SWITCH}`], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(guard, 'exit');
  await Promise.race([once(guard.stdout, 'data'), ended]);
  if (switchValue() !== '2') throw new Error(`${SWITCH} cannot be set`);
  return {
    async [Symbol.asyncDispose]() {
      guard.stdin.end();
      await ended;
    },
  };
}

function whyReadOnly(): string | undefined {
  try {
    const mounts = readFileSync('/proc/self/mounts', 'latin1');
    return /^\S+ \/proc\/sys \S+ ro[, ]/m.test(mounts) ? '/proc/sys is read-only here' : undefined;
  } catch {
    return undefined;
  }
}
