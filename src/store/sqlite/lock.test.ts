/** The lock between processes, and when its holder is killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { acquireLock } from './lock.ts';

/** Refers to its lock nowhere once it has it, and collects all that can be. */
const HOLD = `
  import { acquireLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
  if (!acquireLock(process.argv[1])) process.stdout.write('refused');
  else {
    let looks = 0;
    setInterval(() => {
      gc();
      if (++looks === 5) process.stdout.write('held');
    }, 10);
  }
`;

function holder(path: string): { child: ReturnType<typeof spawn>; said: Promise<string> } {
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', HOLD, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = once(child.stdout, 'data').then(([data]) => String(data));
  return { child, said };
}

test('one holder at a time, also across processes, and a killed one holds nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edgefour-lock-'));
  try {
    const path = join(folder, 'lock');
    const mine = acquireLock(path);
    assert.ok(mine);
    assert.equal(acquireLock(path), undefined);
    assert.equal(await holder(path).said, 'refused');
    mine.release();
    mine.release();
    const other = holder(path);
    assert.equal(await other.said, 'held');
    const taken = acquireLock(path);
    other.child.kill('SIGKILL');
    await once(other.child, 'close');
    assert.equal(taken, undefined);
    const again = acquireLock(path);
    assert.ok(again);
    again.release();
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a lock that can not be kept says why', () => {
  assert.throws(() => acquireLock('/nowhere/lock'), /ENOENT/);
});
