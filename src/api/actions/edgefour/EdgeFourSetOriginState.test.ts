import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_SET_STATES, type SetOriginState } from '../../../domain/origin-group/origin-state.ts';
import { keys } from '../../../store/records.ts';
import { type ActionWorld, actionWorld, newZone, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { refusals } from '../../../../test/world/refusals.ts';

const all = (world: ActionWorld) => world.keysUnder('origin-state/');

test('a state is set, replaced and taken back, by any spelling of the host', async () => {
  await using world = await actionWorld();
  const set = (Origin: string, State: 'drain' | 'up' | 'auto', more: { Seconds?: number } = {}) =>
    world.call('EdgeFourSetOriginState', { ZoneId: ZONE, Origin, State, ...more });
  const read = (host: string) => world.read(keys.originState(ZONE, host));
  await set('DB.Example.', 'drain');
  assert.deepEqual(await read('db.example'), { host: 'DB.Example.', state: 'down' });
  const before = Date.now();
  await set('db.example', 'up', { Seconds: 60 });
  const { until = 0, ...rest } = (await read('db.example')) ?? assert.fail();
  assert.deepEqual(rest, { host: 'db.example', state: 'up' });
  assert.ok(until >= before + 60_000 && until <= Date.now() + 60_000);
  await set('2001:DB8::0:1', 'drain');
  assert.deepEqual(await all(world), [`origin-state/${ZONE}/2001:db8::1`, `origin-state/${ZONE}/db.example`]);
  await set('2001:db8::1', 'auto');
  await set('db.example', 'auto');
  assert.deepEqual(await all(world), []);
  const revision = await world.revision();
  await set('db.example', 'auto');
  assert.equal(await world.revision(), revision);
});

/** As many as a zone can have. */
async function fill(world: ActionWorld, more: Partial<SetOriginState> = {}): Promise<void> {
  const states = Array.from({ length: MOST_SET_STATES }, (_, i) => {
    const host = `origin-${i}.test`;
    return { key: keys.originState(ZONE, host), value: { host, state: 'down', ...more } };
  });
  await world.store.commit(states, []);
}

test('states that have ended make room; one that is there can be set again in a full zone', async () => {
  await using world = await actionWorld();
  const set = (Origin: string) => world.call('EdgeFourSetOriginState', { ZoneId: ZONE, Origin, State: 'drain' });
  await fill(world, { until: 1 });
  await set('10.0.0.8');
  assert.deepEqual(await all(world), [`origin-state/${ZONE}/10.0.0.8`]);
  await fill(world);
  await set('origin-7.test');
  assert.equal((await all(world)).length, MOST_SET_STATES + 1);
});

test('a zone that is deleted, and a reset, leave none behind', async () => {
  await using world = await actionWorld();
  const other = 'zone-000000000009';
  await world.write(keys.zone(other), { ...newZone(other, 'edgeone-000000000001'), paused: true });
  for (const ZoneId of [ZONE, other])
    await world.call('EdgeFourSetOriginState', { ZoneId, Origin: '10.0.0.8', State: 'drain' });
  await world.call('DeleteZone', { ZoneId: other });
  assert.deepEqual(await all(world), [`origin-state/${ZONE}/10.0.0.8`]);
  await world.call('EdgeFourReset', {});
  assert.deepEqual(await all(world), []);
});

refusals(
  'EdgeFourSetOriginState',
  () => ({ ZoneId: ZONE, Origin: '10.0.0.8', State: 'drain' as const, Seconds: 60 }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: "another account's zone", caller: STRANGER },
    { code: 'InvalidParameter.InvalidOriginValue', because: 'a port', request: { Origin: '10.0.0.8:80' } },
    { code: 'InvalidParameter.InvalidOriginValue', because: 'an odd spelling', request: { Origin: '10.0.8' } },
    { code: 'InvalidParameter.InvalidOriginValue', because: 'a key of the world', request: { Origin: 'a/b' } },
    { code: 'InvalidParameter.ParameterError', because: 'auto for a time', request: { State: 'auto' } },
    { code: 'LimitExceeded', because: 'a full zone', given: (world) => fill(world) },
  ],
  [],
  false,
);
