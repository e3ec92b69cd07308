import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ActionWorld, actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';
import { keys, stamped } from '../../../store/records.ts';

const CODE = 'InvalidParameter.ParameterError';
/** `own`: the first network of its part says whose it is. */
const network = (own: number, part: number): string => `10.${own}.${part}.0`;
const wholeOf = (own: number, parts: number): string[] => Array.from({ length: parts }, (_, n) => network(own, n));

function listIn(world: ActionWorld) {
  return {
    put: (Put: string, Part: number, Parts: number, Networks: string[]) =>
      world.call('EdgeFourPutAddressList', { ZoneId: ZONE, Name: 'bad', Networks, Put, Part, Parts }),
    inForce: () =>
      world.store.read((view) => {
        const found = view.get(keys.addressList(ZONE, 'bad'));
        const list = found && stamped<{ side: 'a' | 'b'; parts: number }>(found);
        return Array.from({ length: list?.parts ?? 0 }, (_, part) => {
          const held = view.get(keys.addressListPart(ZONE, 'bad', list?.side ?? 'a', part));
          return held && stamped<{ networks: string[] }>(held).networks[0];
        });
      }),
    parts: () => world.store.read((view) => view.count(keys.allAddressListParts())),
  };
}

test('a long list is in force when its last part has come; an empty one is gone', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const { put, inForce, parts } = listIn(world);
  await put('first', 0, 2, ['192.0.2.0']);
  assert.deepEqual(await inForce(), []);
  await put('first', 1, 2, ['192.0.2.1']);
  assert.deepEqual(await inForce(), ['192.0.2.0', '192.0.2.1']);
  // Given up half way, and begun again with less.
  await put('second', 0, 3, ['192.0.2.2']);
  await put('second', 1, 3, ['192.0.2.3']);
  assert.deepEqual(await inForce(), ['192.0.2.0', '192.0.2.1']);
  await put('third', 0, 1, ['192.0.2.4']);
  assert.deepEqual([await inForce(), await parts()], [['192.0.2.4'], 1]);
  await world.call('EdgeFourSetLimits', { ZoneId: ZONE, ProxyId, Deny: ['bad'] });
  await put('fourth', 0, 1, []);
  assert.deepEqual([await inForce(), await parts()], [[], 0]);
});

test('each part may be sent again, also the last one, and that changes nothing', async () => {
  await using world = await actionWorld();
  const { put, inForce } = listIn(world);
  for (const part of [0, 0, 1, 0, 1, 2]) await put('one', part, 3, [network(1, part)]);
  const revision = await world.revision();
  for (const part of [2, 2, 0, 1]) await put('one', part, 3, [network(1, part)]);
  assert.deepEqual([await inForce(), await world.revision()], [wholeOf(1, 3), revision]);
  await assert.rejects(put('one', 0, 3, ['192.0.2.1']), { code: CODE });
});

test('a put that another one has overtaken is told so, and leaves nothing', async () => {
  await using world = await actionWorld();
  const { put, inForce, parts } = listIn(world);
  await put('one', 0, 2, [network(1, 0)]);
  await put('two', 0, 2, [network(2, 0)]);
  await assert.rejects(put('one', 1, 2, [network(1, 1)]), { code: CODE, message: /overtaken/ });
  await put('two', 1, 2, [network(2, 1)]);
  await assert.rejects(put('one', 1, 2, [network(1, 1)]), { code: CODE, message: /overtaken/ });
  assert.deepEqual([await inForce(), await parts()], [wholeOf(2, 2), 2]);
});

/** Who sends what next, in any order: a client's next part, or its last call again. */
const step = fc.record({ client: fc.nat(2), again: fc.boolean() });

test('whatever clients send in turn and again, one whole list of one of them is in force', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 4 }), LENGTHS),
      async (steps, lengths) => {
        await using world = await actionWorld();
        const { put, inForce } = listIn(world);
        const clients = lengths.map((parts, own) => ({ own, parts, puts: 0, next: 0 }));
        let expected: string[] = [];
        for (const { client, again } of steps) {
          const one = clients[client];
          if (!one) continue;
          const repeats = again && one.next > 0;
          if (!repeats && one.next === one.parts) [one.puts, one.next] = [one.puts + 1, 0];
          const part = repeats ? one.next - 1 : one.next;
          const isTaken = await put(`${one.own}-${one.puts}`, part, one.parts, [network(one.own, part)]).then(
            () => true,
            (error: { code?: string }) => (assert.equal(error.code, CODE), false),
          );
          if (!isTaken) [one.puts, one.next] = [one.puts + 1, 0];
          else if (!repeats) one.next = part + 1;
          if (isTaken && part === one.parts - 1) expected = wholeOf(one.own, one.parts);
          const now = await inForce();
          assert.deepEqual(now, expected);
          assert.ok(now.length === 0 || clients.some(({ own, parts }) => wholeOf(own, parts).join() === now.join()));
        }
      },
    ),
    { numRuns: 60 },
  );
});
const LENGTHS = { minLength: 3, maxLength: 3 } as const;

test('clients that put at the same time never mix, and each is told how it went', async () => {
  await using world = await actionWorld();
  const { put, inForce, parts } = listIn(world);
  for (let round = 0; round < 20; round++) {
    const results = await Promise.allSettled(
      [1, 2, 3].map(async (own) => {
        for (let part = 0; part < 3; part++) await put(`${own}-${round}`, part, 3, [network(own, part)]);
      }),
    );
    const done = [1, 2, 3].filter((_, n) => results[n]?.status === 'fulfilled').map((own) => wholeOf(own, 3).join());
    const now = (await inForce()).join();
    assert.ok(done.length === 0 || done.includes(now), `${now} of ${done.join(' or ')}`);
    assert.ok(now === '' || [1, 2, 3].some((own) => wholeOf(own, 3).join() === now), now);
    assert.ok((await parts()) <= 6);
  }
  for (let part = 0; part < 3; part++) await put('last', part, 3, [network(7, part)]);
  assert.deepEqual([await inForce(), await parts()], [wholeOf(7, 3), 3]);
});

refusals(
  'EdgeFourPutAddressList',
  () => ({ ZoneId: ZONE, Name: 'bad', Networks: ['192.0.2.1'] }),
  [
    { code: 'ResourceNotFound', because: 'the zone of another account', caller: STRANGER },
    { code: CODE, because: 'no network', request: { Networks: ['x'] } },
    { code: CODE, because: 'parts of a put without a name', request: { Part: 0, Parts: 2 } },
    { code: CODE, because: 'a part before the one before it', request: { Put: 'x', Part: 1, Parts: 2 } },
  ],
  [],
);
