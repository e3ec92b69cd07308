/**
 * Upgrades in which somebody of the old generation is killed on the way. Whoever dies, and when: the next one serves, alone
 * if need be. Traffic, the API and a change are asked of each; an upgrade after it finds everything in order.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { apiClient } from '../../src/cli/client/api-client.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { dial, exchange, say } from '../e2e/clients.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { childrenOf, type Facts, MAINS } from './places.ts';
import { CRASHING, Generations, isAlive } from './upgrade.ts';
import { treeWorld } from './world.ts';

/** The phases of an upgrade, each by the moment at which it begins (crashing-main.ts). */
export const PHASES = {
  'up load': 'the next one looks who is there',
  'control load': 'it has asked the old `up`; its children load',
  'control acks': 'the old control has given up its store, the next one opens it',
  'control ready': 'the next control is ready; the next edge asks for sockets',
  'edge world': 'the next edge has the sockets and asks for sessions',
  'edge ready': 'both are ready, and tell the old ones that they serve',
  'control committed': 'the next control serves',
  'edge committed': 'the next edge serves; the old `up` is told',
} as const;
export type Phase = keyof typeof PHASES;

export interface Blow {
  readonly phase: Phase;
  readonly victim: 'up' | 'control' | 'edge';
  readonly afterMs: number;
}

export async function bereave(t: TestContext, engine: 'node' | 'uring', blows: readonly Blow[]): Promise<void> {
  MAINS.add(CRASHING);
  await using w = await treeWorld({ settings: ['--engine', engine, '--drain', '20'] });
  await using generations = new Generations(w);
  const { address, ports, proxyId } = await w.proxy('bereaved', [{}]);
  const [port = 0] = ports;
  const gone: number[] = [];
  let kept = 0;
  for (const { phase, victim, afterMs } of blows) {
    const old = generations.newest;
    const family = { up: old.pid, ...childrenOf(old.pid) };
    const open = await dial(address, port);
    assert.equal(await say(open, 'before'), 'before');
    const since = clock.monotonic();
    const what = `${victim} killed ${afterMs} ms after ${phase}`;
    const born = await generations.bereave(phase, family[victim] ?? assert.fail(`no ${victim}`), afterMs);
    const took = clock.monotonic() - since;
    const goesOn = await say(open, 'after').then(
      () => true,
      () => false,
    );
    kept += goesOn ? 1 : 0;
    open.destroy();
    await eventually(async () => assert.equal((await exchange(address, port, Buffer.from('x'))).toString(), 'x', what));
    const facts = JSON.parse(readFileSync(join(dirname(w.folder), 'ready.json'), 'utf8')) as Facts;
    const client = apiClient(facts.api, facts, () => clock.now());
    await eventually(() => client.call('ModifyL4Proxy', { ZoneId: w.zoneId, ProxyId: proxyId, Ipv6: 'off' }));
    assert.ok(isAlive(born.pid), `${what}: ${born.output()}`);
    gone.push(...Object.values(family));
    t.diagnostic(`${what}: serves after ${Math.round(took)} ms${goesOn ? ', and an open connection went on' : ''}`);
  }
  await eventually(() => assert.deepEqual(gone.filter(isAlive), []));
  await generations.upgrade();
  assert.equal((await exchange(address, port, Buffer.from('x'))).toString(), 'x');
  t.diagnostic(`${engine}: ${blows.length} of ${blows.length} serve; ${kept} open connections went on`);
}
