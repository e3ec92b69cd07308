/**
 * `edgefour up --upgrade` on the real tree: the next generation takes over while connections come and go, one that dies on
 * its way changes nothing, and what cannot be taken over is said in words.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyUnavailable } from '../../src/edge/engines/uring/probe.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { connects } from '../world/connects.ts';
import { Generations } from '../world/upgrade.ts';
import { treeWorld } from '../world/world.ts';
import { dial, exchange, say } from './clients.ts';

const isLinux = process.platform === 'linux';
const skip = { node: !isLinux && 'descriptors travel on Linux only', uring: (await whyUnavailable()) ?? false };

for (const engine of ['node', 'uring'] as const)
  test(
    `${engine}: upgrades lose no connection, and one that dies on its way changes nothing`,
    { skip: skip[engine] },
    async () => {
      await using w = await treeWorld({ settings: ['--engine', engine, '--drain', '30'] });
      await using generations = new Generations(w);
      const { address, ports, proxyId } = await w.proxy('steady', [{}]);
      const [port = 0] = ports;
      const load = connects(address, port, 100);
      const old = await dial(address, port);
      assert.equal(await say(old, 'before'), 'before');

      await generations.upgrade();
      assert.equal(await say(old, 'in the old one'), 'in the old one');
      for (const how of ['control ready', 'edge world']) {
        const { code, output } = await generations.crash(how);
        assert.equal(code, 2, output);
        assert.match(output, /ended before it could take over/);
      }
      const { ruleIds } = await w.rules(proxyId, [{}]);
      assert.equal(ruleIds.length, 1);
      await generations.upgrade();
      assert.equal(await say(old, 'still'), 'still');
      old.destroy();
      await eventually(() => assert.deepEqual(generations.alive(), [generations.newest]));
      assert.deepEqual(await Promise.all(generations.all.slice(0, 2).map(({ ended }) => ended)), [0, 0]);
      assert.equal(generations.readyPid(), generations.newest.pid);
      const more = await w.rules(proxyId, [{}]);
      assert.equal((await exchange(address, more.ports[0] ?? 0, Buffer.from('x'))).toString(), 'x');
      await load.stop();
      assert.deepEqual([...load.ends], [['ok', load.started]]);
    },
  );
