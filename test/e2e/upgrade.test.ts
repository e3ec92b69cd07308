/**
 * `edgefour up --upgrade` on the real tree: the next generation takes over while connections come and go, one that dies on
 * its way changes nothing, and what cannot be taken over is said in words. The long version is test/load/upgrades.ts.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { edgefour } from '../world/command.ts';
import { connects } from '../world/connects.ts';
import { datagrams, portTeller } from '../world/datagrams.ts';
import { Generations } from '../world/upgrade.ts';
import { treeWorld } from '../world/world.ts';
import { dial, exchange, say } from './clients.ts';

/** limit: longer than all of the test on a machine that twenty others use; nobody waits for it. */
const DRAIN_S = 300;
const TIMEOUT_MS = DRAIN_S * 1000;
/** At what the next one dies (crashing-main.ts). */
const CRASHES = { node: ['edge ready'], uring: ['control acks', 'edge world', 'edge ready'] };
const isLinux = process.platform === 'linux';
const skip = { node: !isLinux && 'descriptors travel on Linux only', uring: (await whyUnavailable()) ?? false };

for (const engine of ['node', 'uring'] as const)
  test(
    `${engine}: upgrades lose no connection, and one that dies on its way changes nothing`,
    { skip: skip[engine], timeout: TIMEOUT_MS },
    async () => {
      await using w = await treeWorld({ settings: ['--engine', engine, '--drain', `${DRAIN_S}`] });
      await using generations = new Generations(w);
      await using teller = await portTeller();
      const udpRule = { Protocol: 'UDP', OriginValue: [teller.address], OriginPortRange: `${teller.port}` } as const;
      const { address, ports, proxyId } = await w.proxy('steady', [{}, udpRule]);
      const [port = 0, udp = 0] = ports;
      await using load = connects(address, port, { perSecond: 100 });
      await using talk = datagrams(address, udp);
      const old = await dial(address, port);
      assert.equal(await say(old, 'before'), 'before');

      await generations.upgrade();
      assert.equal(await say(old, 'in the old one'), 'in the old one');
      for (const how of CRASHES[engine]) {
        const { code, output } = await generations.crash(how);
        assert.equal(code, 2, output);
        assert.match(output, /ended before it could take over/);
      }
      const { ruleIds } = await w.rules(proxyId, [{}]);
      assert.equal(ruleIds.length, 1);
      await generations.upgrade();
      assert.equal(await say(old, 'still'), 'still');
      old.destroy();
      await eventually(() => assert.deepEqual(generations.alive(), [generations.newest]), DRAIN_S * 1000);
      assert.deepEqual(await Promise.all(generations.all.slice(0, 2).map(({ ended }) => ended)), [0, 0]);
      assert.equal(generations.readyPid(), generations.newest.pid);
      const more = await w.rules(proxyId, [{}]);
      assert.equal((await exchange(address, more.ports[0] ?? 0, Buffer.from('x'))).toString(), 'x');
      await load.stop();
      assert.deepEqual([...load.ends], [['ok', load.started]]);
      const { fresh, steady } = await talk.stop();
      // The node engine's sessions begin anew.
      if (engine === 'uring') assert.deepEqual([fresh.lost, steady.portChanges], [0, 0]);
    },
  );

test(
  'with nothing running it is a plain start; where one runs that has no door it says so',
  { skip: skip.node, timeout: TIMEOUT_MS },
  async () => {
    await using w = await treeWorld({ settings: ['--upgrade'] });
    await eventually(() => rmSync(join(w.folder, 'up.sock')));
    const { code, stderr } = await edgefour(['up', ...w.args]);
    assert.equal(code, 2);
    assert.match(stderr, /^edgefour: The EdgeFour that runs on this data folder has no door for the next one/);
    assert.equal((await fetch(`${w.api}/readyz`)).status, 200);
  },
);
