/**
 * The data folder is full, or read-only, and everything ends and starts: traffic flows, reads and DNS answer, a write gets
 * one clear error, and all is well once there is room, without a restart.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { apiClient } from '../../src/cli/client/api-client.ts';
import { Refusal } from '../../src/cli/client/refusal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openCounterFile } from '../../src/engines/kernel/account/counter-file.ts';
import { removeSpare } from '../../src/linux/socket-path.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { inProcesses, type Tree } from '../world/places.ts';
import { smallDisk } from '../world/small-disk.ts';
import { type Proxy, treeWorld, type World } from '../world/world.ts';
import { exchange } from './clients.ts';

const WITHIN_MS = 60_000;

async function serves(w: World<Tree>, tree: Tree, { address, ports, proxyId }: Proxy): Promise<void> {
  const { facts } = tree;
  await eventually(async () => {
    assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('flows'))).toString(), 'flows');
  }, WITHIN_MS);
  const client = apiClient(facts.api, facts, () => systemClock.now());
  const { TotalCount } = await client.call('DescribeL4Proxy', { ZoneId: w.zoneId });
  assert.equal(TotalCount, 1);
  const resolver = new Resolver();
  resolver.setServers([facts.dns]);
  const zone = w.zoneId.replace('zone-', '');
  assert.deepEqual(await resolver.resolve4(`kept.${zone}.edgefour.test`), [address]);
  await eventually(async () => {
    const { Instances } = await client.call<{ Instances: { Status: string }[] }>('EdgeFourDescribeStatus', {
      ProxyId: proxyId,
    });
    assert.equal(Instances[0]?.Status, 'online');
  }, WITHIN_MS);
}

const change = ({ facts }: Tree) =>
  apiClient(facts.api, facts, () => systemClock.now()).call('EdgeFourCreateKey', { User: 'sam' });

async function refuses(tree: Tree): Promise<void> {
  await assert.rejects(change(tree), (error) => {
    assert.ok(error instanceof Refusal);
    assert.equal(error.code, 'ServiceUnavailable');
    assert.match(error.message, /Nothing can be changed: .*Make room/);
    return true;
  });
}

async function end(tree: Tree, how: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const { up, control, edge } = tree.pids();
  if (how === 'SIGTERM') process.kill(up, how);
  else for (const pid of [up, control, edge]) if (pid !== undefined) process.kill(pid, how);
  await tree.ended;
}

test('a full disk and a read-only one: served, said, and well again', async () => {
  using disk = smallDisk(8);
  const data = join(disk.path, 'data');
  await using w = await treeWorld({ data, settings: ['--drain', '0'] });
  const proxy = await w.proxy('kept', [{}]);
  let tree: Tree = w.place;
  const again = async (): Promise<Tree> => {
    const ready = join('/tmp', `edgefour-${process.pid}-ready.json`);
    rmSync(ready, { force: true });
    try {
      return await inProcesses(w.args, {}, ready);
    } finally {
      rmSync(ready, { force: true });
    }
  };
  try {
    for (const how of ['SIGKILL', 'SIGTERM'] as const) {
      // A file that is replaced meanwhile gives room back.
      await eventually(() => {
        disk.fill();
        return refuses(tree);
      }, WITHIN_MS);
      await end(tree, how);
      disk.fill();
      tree = await again();
      await serves(w, tree, proxy);
      await eventually(() => {
        disk.fill();
        return refuses(tree);
      }, WITHIN_MS);
      disk.free();
      await eventually(() => change(tree), WITHIN_MS);
    }
    // Killed, so that the newest changes are in the log of the store alone.
    await end(tree, 'SIGKILL');
    disk.setReadOnly(true);
    tree = await again();
    await serves(w, tree, proxy);
    await refuses(tree);
    disk.setReadOnly(false);
    await eventually(() => change(tree), WITHIN_MS);
  } catch (error) {
    throw new Error(`it said: ${tree.output()}`, { cause: error });
  } finally {
    await end(tree, 'SIGKILL').catch(() => {});
    removeSpare(join(data, 'link.sock'));
  }
});

test('counters of the kernel engine that a full disk has no room for last as long as the process', () => {
  using disk = smallDisk(1);
  const file = openCounterFile(join(disk.path, 'counters'), 7);
  // A page of the file without room behind it would end this process at once.
  for (const index of [1, 30_000, 65_535]) file.row(index)[0] = index;
  assert.deepEqual([file.isCurrent, file.row(65_535)[0]], [false, 65_535]);
  file.close();
});
