import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { Checker } from '../../domain/load-balancer/checker.ts';
import { seededRng } from '../../lib/rng.ts';
import { silentLog } from '../../observe/log.ts';
import type { PlannedPool } from '../../plan/plan.ts';
import { OriginNames } from './names.ts';
import { Pools } from './pools.ts';

const CHECKER: Checker = { type: 'ICMP Ping', intervalSeconds: 10, timeoutSeconds: 5, rise: 3, fall: 2 };
const pool = (owner: string, ...hosts: string[]): PlannedPool => ({
  check: { owner, checker: CHECKER },
  origins: hosts.map((host) => ({ host, group: 'og-1' })),
});

function pools() {
  const clock = new ManualClock();
  let addresses: readonly string[] = ['198.51.100.1', '198.51.100.2'];
  const asked: string[] = [];
  const names = new OriginNames({
    async lookup(name) {
      asked.push(name);
      return { addresses, ttlSeconds: 60 };
    },
    clock,
    rng: seededRng(1),
    log: silentLog,
  });
  const made = new Pools(names);
  const told: string[] = [];
  made.changed.listen(({ check, members }) =>
    told.push([check.owner, ...members.map(({ host, address }) => `${host}=${address}`)].join(' ')),
  );
  return {
    clock,
    asked,
    names,
    told: () => told.splice(0),
    take: (changes: Record<string, PlannedPool | undefined>) => made.take(new Map(Object.entries(changes))),
    resolve: (...next: string[]) => (addresses = next),
  };
}

test('a pool has each address of its names, and is told anew when they are other ones', async () => {
  const { clock, names, told, take, resolve } = pools();
  take({ 'lb-1': pool('lb-1', '203.0.113.1', 'a.example') });
  assert.deepEqual(told(), ['lb-1 203.0.113.1=203.0.113.1']);
  await clock.advance(0);
  assert.deepEqual(told(), ['lb-1 203.0.113.1=203.0.113.1 a.example=198.51.100.1 a.example=198.51.100.2']);
  resolve('198.51.100.3');
  await clock.advance(60_000);
  assert.deepEqual(told(), ['lb-1 203.0.113.1=203.0.113.1 a.example=198.51.100.3']);
  names.stop();
});

test('a pool that is gone is told once, and its names are followed no more; a rule of that name is not touched', async () => {
  const { asked, clock, names, told, take } = pools();
  names.use('lb-1', ['b.example']);
  take({ 'lb-1': pool('lb-1', 'a.example') });
  await clock.advance(0);
  told();
  take({ 'lb-1': undefined, 'lb-2': undefined });
  assert.deepEqual(told(), ['lb-1']);
  asked.length = 0;
  await clock.advance(60_000);
  assert.deepEqual([asked, told()], [['b.example'], []]);
  names.stop();
  assert.equal(clock.waiting, 0);
});
