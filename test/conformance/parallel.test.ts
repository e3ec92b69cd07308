/**
 * Parallel calls (T35): one winner where only one can win, everybody where all can, the right error for the rest. Two
 * control nodes on one store, so that both turns (within a node) and guards (between nodes) are at work.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/observe/log.ts';
import { openStore } from '../../src/store/registry.ts';
import { ZONE } from '../world/actions.ts';
import { type Desk, openDesk, type Reply } from './desk.ts';
import { openHostileDesk } from './hostile.ts';

const rule = (port: string, more: object = {}): object => ({
  Protocol: 'TCP',
  PortRange: [port],
  OriginType: 'IP_DOMAIN',
  OriginValue: ['127.0.0.1'],
  OriginPortRange: port,
  ...more,
});

function tally(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { Error: error } of replies) counts[error?.Code ?? 'OK'] = (counts[error?.Code ?? 'OK'] ?? 0) + 1;
  return counts;
}

for (const scheme of ['memory', 'sqlite'] as const) {
  test(`parallel calls at two nodes over ${scheme}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'edgefour-parallel-'));
    const url = scheme === 'memory' ? 'memory:' : `sqlite:${join(folder, 'world.db')}`;
    const store = await openStore(url, { clock: systemClock, log: silentLog });
    t.after(async () => {
      await store.close();
      await rm(folder, { recursive: true });
    });
    await using one = await openHostileDesk({ store: () => store, around: { clock: systemClock } });
    await using two = await openDesk({ store: () => store, around: { clock: systemClock } });
    const both = (count: number, call: (desk: Desk, index: number) => Promise<Reply>): Promise<Reply[]> =>
      Promise.all(Array.from({ length: count }, (_, index) => call(index % 2 === 0 ? one : two, index)));

    const create = { ZoneId: ZONE, ProxyName: 'contested', Area: 'overseas' };
    const created = await both(16, (desk) => desk.call('CreateL4Proxy', create));
    assert.deepEqual(tally(created), { OK: 1, 'InvalidParameter.ProxyNameDuplicating': 15 });
    const ProxyId = String(created.find((reply) => !reply.Error)?.['ProxyId']);
    const make = (desk: Desk, port: string): Promise<Reply> =>
      desk.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [rule(port)] });

    const overlapping = await both(16, (desk, index) => make(desk, `${1000 + index}-1100`));
    assert.deepEqual(tally(overlapping), { OK: 1, 'InvalidParameter.RulePortDuplicating': 15 });

    const disjoint = await both(50, (desk, index) => make(desk, String(2000 + index)));
    assert.deepEqual(tally(disjoint), { OK: 50 });
    const { TotalCount } = await two.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
    assert.equal(TotalCount, 51);

    const named = await both(50, (desk, index) => desk.call('CreateL4Proxy', { ...create, ProxyName: `p-${index}` }));
    assert.deepEqual(tally(named), { OK: 50 });
    const { L4Proxies } = await one.call('DescribeL4Proxy', { ZoneId: ZONE, Limit: 100 });
    const ids = (L4Proxies as { ProxyId: string }[]).map(({ ProxyId }) => ProxyId);
    assert.equal(new Set(ids).size, 52);
  });
}
