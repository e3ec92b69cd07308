/** world.sqlite is gone, and a folder is in the place of a socket: what the edge has goes on, until an operator says otherwise. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { apiClient } from '../../src/cli/client/api-client.ts';
import { Refusal } from '../../src/cli/client/refusal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { edgefour } from '../world/command.ts';
import { inProcesses, type Tree } from '../world/places.ts';
import { treeWorld } from '../world/world.ts';
import { exchange } from './clients.ts';

const WITHIN_MS = 60_000;
const skip = process.platform === 'linux' ? false : 'finding the children of a process is done with /proc';

test('a world that is gone ends no rule before --new-world says so', { skip }, async () => {
  await using w = await treeWorld({ settings: ['--drain', '0'] });
  const { address, ports } = await w.proxy('kept', [{}]);
  const says = async (text: string): Promise<string> =>
    (await exchange(address, ports[0] ?? 0, Buffer.from(text))).toString();
  await w.place.stop();
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(w.folder, `world.sqlite${suffix}`), { force: true });
  mkdirSync(join(w.folder, 'link.sock'));

  const doctor = await edgefour(['doctor', ...w.args]);
  assert.match(doctor.stdout, /world\.sqlite is not there, and the edge of this folder serves 1 rules/);
  const start = (...more: readonly string[]): Promise<Tree> =>
    inProcesses([...w.args, ...more], {}, `${w.folder}-again.json`);
  const tree = await start();
  try {
    await eventually(async () => assert.equal(await says('flows'), 'flows'), WITHIN_MS);
    assert.match(tree.output(), /the socket for edges is not in the data folder.*link\.sock is a folder: remove it/);
    const status = await edgefour(['status', '--data', w.folder]);
    assert.match(
      status.stdout,
      /! control: .*world\.sqlite is gone, and the edge here has 1 rules: restore a backup, or end/,
    );
    assert.match(status.stdout, /local +local +alive/);
    const client = apiClient(tree.facts.api, w, () => systemClock.now());
    await assert.rejects(
      client.call('EdgeFourCreateKey', { User: 'sam' }),
      (error) => error instanceof Refusal && error.code === 'ServiceUnavailable',
    );
    const saved = await edgefour(['backup', join(w.folder, 'saved.sqlite'), '--data', w.folder]);
    assert.equal(saved.code, 1, saved.stderr);
    assert.equal(await says('still'), 'still');
  } finally {
    await tree.stop();
  }
  assert.equal(existsSync(join(w.folder, 'world.sqlite')), false);

  renameSync(join(w.folder, 'saved.sqlite'), join(w.folder, 'world.sqlite'));
  const restored = await start();
  try {
    await eventually(async () => assert.equal(await says('restored'), 'restored'), WITHIN_MS);
    const client = apiClient(restored.facts.api, w, () => systemClock.now());
    await eventually(() => client.call('EdgeFourCreateKey', { User: 'sam' }), WITHIN_MS);
  } finally {
    await restored.stop();
  }

  for (const suffix of ['', '-wal', '-shm']) rmSync(join(w.folder, `world.sqlite${suffix}`), { force: true });
  const anew = await start('--new-world');
  try {
    await eventually(() => assert.rejects(says('over'), /ECONNREFUSED/), WITHIN_MS);
  } finally {
    await anew.stop();
  }
});
