/** A disk of a few MiB (tmpfs) that a test fills, makes read-only and gives room again. Needs root. */
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface SmallDisk extends Disposable {
  readonly path: string;
  /** Until nothing fits any more. */
  fill(): void;
  free(): void;
  setReadOnly(isReadOnly: boolean): void;
}

export function smallDisk(mebibytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'edgefour-disk-'));
  run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=0700`, 'edgefour-test', path);
  let files = 0;
  return {
    path,
    fill() {
      const file = openSync(join(path, `fill-${files++}`), 'w');
      try {
        for (;;) writeSync(file, Buffer.alloc(4_096));
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      } finally {
        closeSync(file);
      }
    },
    free() {
      while (files > 0) rmSync(join(path, `fill-${--files}`));
    },
    setReadOnly: (isReadOnly) => run('mount', '-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, path),
    [Symbol.dispose]() {
      run('umount', '-l', path);
      rmdirSync(path);
    },
  };
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
