import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../../test/suites/engine/fixture.ts';
import { ManualClock } from '../../test/world/manual-clock.ts';
import { watchProgram } from './watch.ts';

const SECONDS_12 = 12_000;

async function aCopy(t: TestContext) {
  const parent = mkdtempSync(join(tmpdir(), 'edgefour-program-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const root = join(parent, 'checkout');
  for (const part of ['package.json', join('src', 'lib'), join('src', 'link')])
    cpSync(join(import.meta.dirname, '..', '..', part), join(root, part), { recursive: true });
  cpSync(join(root, 'src', 'link'), join(root, 'node_modules', 'koffi'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"version":"1.0.0"}');
  const clock = new ManualClock();
  const told: string[] = [];
  const watch = await watchProgram(root, clock, (alarm) => told.push(alarm));
  t.after(() => watch.close());
  return { root, clock, told, watch };
}

test('a program that stays as it is is no news, whatever else is written beside it', async (t) => {
  const { root, clock, watch } = await aCopy(t);
  writeFileSync(join(root, 'data'), 'x');
  await clock.advance(SECONDS_12);
  assert.deepEqual(watch.alarms, []);
});

for (const [what, change, says] of [
  [
    'another version is checked out',
    (root: string) => writeFileSync(join(root, 'package.json'), '{"version":"1.1.0"}'),
    /^version 1\.1\.0 is on disk, 1\.0\.0 is running: take over with up --upgrade$/,
  ],
  [
    'a file is replaced',
    (root: string) => {
      writeFileSync(join(root, 'src', 'lib', 'new'), 'x');
      renameSync(join(root, 'src', 'lib', 'new'), join(root, 'src', 'lib', 'clock.ts'));
    },
    /has changed since it was started \(version 1\.0\.0\): take over with up --upgrade$/,
  ],
  [
    'dependencies are installed anew',
    (root: string) => rmSync(join(root, 'node_modules', 'koffi'), { recursive: true }),
    /has changed since it was started/,
  ],
  ['it is moved', (root: string) => renameSync(root, `${root}-moved`), /is no longer at .*checkout.*up --upgrade$/],
] as const)
  test(`${what}: said within twelve seconds, once`, async (t) => {
    const { root, clock, told, watch } = await aCopy(t);
    change(root);
    await clock.advance(SECONDS_12);
    await eventually(() => assert.match(watch.alarms.join(), says));
    await clock.advance(10 * SECONDS_12);
    assert.equal(told.length, 1);
  });
