/**
 * `edgefour edge --upgrade` and `edgefour control --upgrade`, each alone, where the two run as processes of their own: under
 * connections and calls, with a change after each, and an edge that changes hands while there is no control.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { apiClient } from '../../src/cli/client/api-client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { eventually, freePort } from '../suites/engine/fixture.ts';
import { spawnCommand } from '../world/command.ts';
import { connects } from '../world/connects.ts';
import { online } from '../world/online.ts';
import { openOrigin } from '../world/origin.ts';
import type { Facts } from '../world/places.ts';
import { freeSettings } from '../world/world.ts';
import { dial, exchange, say } from './clients.ts';

const skip = process.platform !== 'linux' && 'descriptors travel on Linux only';
/** limit: longer than all of the test on a machine that twenty others use. */
const DRAIN_S = 300;
const WITHIN_MS = 60_000;
const READY = { control: /control is ready/, edge: /the edge is ready/ } as const;

/** Starts a role and resolves when it says that it is ready. */
async function start(role: keyof typeof READY, args: readonly string[]) {
  const child = spawnCommand([role, ...args, '--drain', `${DRAIN_S}`]);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (part: string) => (said += part));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const early = ended.then((code) => assert.fail(`${role} ended with ${code}: ${said}`));
  early.catch(() => {});
  await Promise.race([early, eventually(() => assert.match(said, READY[role]), WITHIN_MS)]);
  return {
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

test('an edge and a control that run alone are upgraded alone', { skip, timeout: DRAIN_S * 1000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
  await using ending = new AsyncDisposableStack();
  ending.defer(() => rmSync(folder, { recursive: true, force: true }));
  const origin = ending.use(await openOrigin());
  const ready = join(folder, 'ready.json');
  const ofControl = [...freeSettings(join(folder, 'control')), '--ready-file', ready];
  const ofEdge = ['--data', join(folder, 'edge'), '--join', join(folder, 'control', 'link.sock')];
  // With nobody there it is a plain start.
  let control = ending.use(await start('control', [...ofControl, '--upgrade']));
  let edge = ending.use(await start('edge', [...ofEdge, '--upgrade']));

  const facts = JSON.parse(readFileSync(ready, 'utf8')) as Facts;
  const client = apiClient(facts.api, facts, () => systemClock.now());
  const ZoneId = facts.zoneId;
  const named = { ZoneId, ProxyName: 'alone', Area: 'overseas' };
  const { ProxyId } = await client.call<{ ProxyId: string }>('CreateL4Proxy', named);
  let address = '';
  /** A rule that is online everywhere, and its port. */
  async function newRule(): Promise<number> {
    const port = await freePort();
    const to = { OriginType: 'IP_DOMAIN', OriginValue: [origin.address], OriginPortRange: `${origin.tcpPort}` };
    const L4ProxyRules = [{ Protocol: 'TCP', PortRange: [`${port}`], ...to }];
    await client.call('CreateL4ProxyRules', { ZoneId, ProxyId, L4ProxyRules });
    address = await online(client, ZoneId, ProxyId, WITHIN_MS);
    return port;
  }
  const port = await newRule();
  await using load = connects(address, port, { perSecond: 50 });
  const old = await dial(address, port);
  assert.equal(await say(old, 'before'), 'before');

  const first = { edge, control };
  edge = ending.use(await start('edge', [...ofEdge, '--upgrade']));
  assert.equal(await say(old, 'in the old edge'), 'in the old edge');
  assert.equal((await exchange(address, await newRule(), Buffer.from('x'))).toString(), 'x');

  control = ending.use(await start('control', [...ofControl, '--upgrade']));
  assert.equal(await first.control.ended, 0);
  assert.deepEqual((JSON.parse(readFileSync(ready, 'utf8')) as Facts).api, facts.api);
  assert.equal((await exchange(address, await newRule(), Buffer.from('y'))).toString(), 'y');

  await control[Symbol.asyncDispose]();
  const second = edge;
  edge = ending.use(await start('edge', [...ofEdge, '--upgrade']));
  assert.equal(await second.ended, 0);
  assert.equal((await exchange(address, port, Buffer.from('z'))).toString(), 'z');

  assert.equal(await say(old, 'still in the first one'), 'still in the first one');
  old.destroy();
  assert.equal(await first.edge.ended, 0);
  await load.stop();
  assert.deepEqual([...load.ends], [['ok', load.started]]);
});
