/**
 * A seeded simulation: callers who create, change and delete instances and rules in parallel, on pools that are too
 * small for them. After each round the records must agree with each other, whatever was refused.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesOf } from '../../src/domain/address-pool/entries.ts';
import type { L4Proxy } from '../../src/domain/l4-proxy/l4-proxy.ts';
import { portClash } from '../../src/domain/l4-rule/ports.ts';
import type { AddressClaim } from '../../src/domain/site/site.ts';
import { Fault } from '../../src/faults/fault.ts';
import { type Rng, seededRng } from '../../src/lib/rng.ts';
import { type Key, keys } from '../../src/store/records.ts';
import { type ActionWorld, actionWorld, newSite, ZONE } from '../world/actions.ts';
import { copy, WEB } from '../world/refusals.ts';

const SITES = [newSite('a', ['10.0.0.0/30', 'fd00::1']), newSite('b', ['10.1.0.0/29', 'fd01::1', 'fd01::2'])];
const SEEDS = 6;
const ROUNDS = 25;
const CALLERS = 5;

async function list<T>(world: ActionWorld, prefix: string): Promise<T[]> {
  return world.store.read((view) => view.list(prefix).map(({ value }) => value as T));
}

async function act(world: ActionWorld, rng: Rng): Promise<unknown> {
  const pick = <T>(...choices: T[]): T => choices[rng.below(choices.length)] as T;
  const proxies = await list<L4Proxy>(world, keys.proxies(ZONE));
  const proxy = proxies[rng.below(proxies.length + 2)];
  if (!proxy) {
    const ProxyName = `p-${rng.below(12)}`;
    const flags = pick<object>({}, {}, { StaticIp: 'on' }, { Ipv6: 'on' });
    return world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName, Area: 'overseas', ...flags });
  }
  const here = { ZoneId: ZONE, ProxyId: proxy.id };
  const from = 1 + rng.below(12);
  const PortRange = [pick(`${from}`, `${from}-${from + rng.below(3)}`)];
  const rule = { ...copy(WEB), Protocol: pick('TCP' as const, 'UDP' as const), PortRange };
  const RuleId = proxy.rules[rng.below(proxy.rules.length + 1)]?.id;
  const what = rng.below(10);
  if (what === 0) {
    await world.call('ModifyL4ProxyStatus', { ...here, Status: 'offline' });
    return world.call('DeleteL4Proxy', here);
  }
  if (what === 1) return world.call('ModifyL4Proxy', { ...here, Ipv6: pick('on', 'off') });
  if (what === 2 && RuleId !== undefined) {
    await world.call('ModifyL4ProxyRulesStatus', { ...here, RuleIds: [RuleId], Status: 'offline' });
    return world.call('DeleteL4ProxyRules', { ...here, RuleIds: [RuleId] });
  }
  if (what < 5 && RuleId !== undefined)
    return world.call('ModifyL4ProxyRules', { ...here, L4ProxyRules: [{ RuleId, PortRange }] });
  return world.call('CreateL4ProxyRules', { ...here, L4ProxyRules: [rule] });
}

async function invariants(world: ActionWorld): Promise<void> {
  const proxies = await list<L4Proxy>(world, keys.proxies(ZONE));
  const places = await list<{ name: string }>(world, keys.proxyPlaces());
  assert.deepEqual(places.map(({ name }) => name).sort(), proxies.map(({ name }) => name).sort());
  const held = new Map<Key<AddressClaim>, L4Proxy[]>();
  for (const proxy of proxies) {
    assert.deepEqual(Object.keys(proxy.entries).sort(), ['a', 'b']);
    for (const { site, ip } of addressesOf(proxy.entries)) {
      const key = keys.address(site, ip);
      held.set(key, [...(held.get(key) ?? []), proxy]);
    }
  }
  assert.deepEqual((await world.keysUnder('address/')).sort(), [...held.keys()].sort());
  for (const [key, holders] of held) {
    const claim = (await world.read(key)) ?? assert.fail(key);
    assert.deepEqual(claim.proxies.map(({ name }) => name).sort(), holders.map(({ name }) => name).sort());
    const alone = holders.some(({ staticIp }) => staticIp === 'on');
    assert.equal(claim.exclusive, alone);
    if (alone) assert.equal(holders.length, 1);
    const clash = portClash(holders.flatMap(({ rules }) => rules));
    assert.equal(clash, undefined, key);
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`seed ${seed}`, async () => {
    await using world = await actionWorld({ sites: SITES });
    const rng = seededRng(seed);
    let done = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const outcomes = await Promise.allSettled(Array.from({ length: CALLERS }, () => act(world, rng)));
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') done++;
        else if (!(outcome.reason instanceof Fault)) throw outcome.reason;
      }
      await invariants(world);
    }
    assert.ok(done > ROUNDS, `only ${done} calls went through`);
  });
}
