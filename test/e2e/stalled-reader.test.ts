/** The reader of stderr has stalled, as a log collector or a stopped `less` does: everything starts, serves and ends. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { eventually } from '../suites/engine/fixture.ts';
import { MAIN } from '../world/command.ts';
import { freeSettings } from '../world/world.ts';

const skip = process.platform === 'linux' ? false : 'a pipe that nobody reads is made with mkfifo and O_RDWR';

test('up ends when it is told to, and its children with it', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-stalled-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const pipe = join(folder, 'stderr');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(reader));
  assert.throws(() => {
    for (;;) writeSync(reader, 'x'.repeat(4_096));
  }, /EAGAIN/);
  const writer = openSync(pipe, constants.O_WRONLY);
  const ready = join(folder, 'ready.json');
  const args = ['up', ...freeSettings(join(folder, 'data')), '--drain', '0', '--log', 'debug', '--ready-file', ready];
  const up = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', writer] });
  closeSync(writer);
  t.after(() => up.kill('SIGKILL'));
  await eventually(() => assert.match(readFileSync(ready, 'utf8'), /"pid"/), 60_000);
  const children = readFileSync(`/proc/${up.pid}/task/${up.pid}/children`, 'latin1').trim().split(' ').map(Number);
  assert.equal(children.length, 2);
  const ended = once(up, 'exit', { signal: AbortSignal.timeout(60_000) });
  up.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  for (const pid of children) assert.throws(() => process.kill(pid, 0), /ESRCH/);
});
