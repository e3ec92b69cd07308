import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeEngine } from '../../../test/edge/fake-engine.ts';
import type { Applied } from '../../engines/engine.ts';
import type { Lookup } from '../origins/lookup.ts';
import { drop, origin, port, put, reconciler, rule } from './reconcile.fixture.ts';

test('a revision is applied when its rules are, and one slow rule holds back nothing but the ack', async () => {
  const node = fakeEngine('node');
  const slow = Promise.withResolvers<Applied>();
  node.answer = ({ id }) => (id === 'slow' ? slow.promise : undefined);
  const { clock, made } = await reconciler([node]);
  made.feed(put(rule('a', port(1))), 1);
  await clock.advance(0);
  assert.deepEqual([made.applied, made.settled], [1, true]);
  made.feed(put(rule('slow', port(2))), 2);
  made.feed(put(rule('b', port(3))), 3);
  made.feed(drop('a'), 4);
  await clock.advance(0);
  assert.equal(made.applied, 1);
  assert.deepEqual([...node.listeners.keys()], ['b']);
  slow.resolve({ ok: true });
  await clock.advance(0);
  assert.equal(made.applied, 4);
});

test('an engine that does not answer is a failure after a while, and its late answer counts', async () => {
  const node = fakeEngine('node');
  const stuck = Promise.withResolvers<Applied>();
  node.answer = () => stuck.promise;
  const { clock, made, failures } = await reconciler([node]);
  made.feed(put(rule('a')), 1);
  await clock.advance(4_000);
  assert.equal(made.applied, 0);
  await clock.advance(1_000);
  assert.deepEqual([made.applied, failures()], [1, { a: 'the engine has not answered for 5 s' }]);
  // Nor does a later change of it hold anything up.
  made.feed(put(rule('a', port(2))), 2);
  assert.deepEqual([made.applied, failures()], [2, { a: 'the engine has not answered for 5 s' }]);
  stuck.resolve({ ok: true });
  await clock.advance(0);
  assert.deepEqual(failures(), {});
});

test('one rule’s steps follow each other; changes that come meanwhile are one step', async () => {
  const node = fakeEngine('node');
  let under = 0;
  node.answer = async () => {
    assert.equal(++under, 1);
    await clock.sleep(50);
    under -= 1;
    return undefined;
  };
  const { clock, made } = await reconciler([node]);
  for (let n = 1; n <= 20; n++) made.feed(put(rule('a', port(n))), n);
  await clock.advance(60);
  assert.deepEqual([made.applied, node.calls.length], [1, 2]);
  await clock.advance(60);
  assert.deepEqual([made.applied, node.listeners.get('a')?.ports], [20, [{ from: 20, to: 20 }]]);
  assert.deepEqual(node.calls, ['apply a', 'apply a']);
});

test('two rules swap their ports and nobody hears of a failure', async () => {
  const node = fakeEngine('node');
  const { clock, made, failures } = await reconciler([node]);
  made.feed(put(rule('a', port(1)), rule('b', port(2))), 1);
  await clock.advance(0);
  made.feed(put(rule('a', port(2)), rule('b', port(1))), 2);
  await clock.advance(10);
  assert.deepEqual([made.applied, failures()], [1, {}]);
  await clock.advance(100);
  assert.deepEqual([made.applied, failures()], [2, {}]);
});

test('a port in use is a failure of that rule alone, tried again until it is free', async () => {
  const host = new Map([['192.0.2.1 TCP 1', 'somebody']]);
  const node = fakeEngine('node', {}, host);
  const { clock, made, failures } = await reconciler([node]);
  made.feed(put(rule('a', port(1)), rule('b', port(2))), 1);
  await clock.advance(500);
  assert.deepEqual([made.applied, failures()], [1, { a: 'EADDRINUSE 192.0.2.1 TCP 1' }]);
  host.clear();
  await clock.advance(1_500);
  assert.deepEqual([failures(), [...node.listeners.keys()].toSorted()], [{}, ['a', 'b']]);
});

test('tries get rarer, and a change is tried at once', async () => {
  const node = fakeEngine('node');
  node.answer = ({ ports }) => (ports[0]?.from === 1 ? { ok: false, reason: 'EACCES' } : undefined);
  const { clock, made, failures } = await reconciler([node]);
  made.feed(put(rule('a', port(1))), 1);
  await clock.advance(10 * 60_000);
  const tries = node.calls.length;
  assert.ok(tries > 40 && tries < 200, `${tries}`);
  made.feed(put(rule('a', port(2))), 2);
  await clock.advance(0);
  assert.deepEqual([failures(), made.applied], [{}, 2]);
});

test('a rule moves to the engine it needs: the new one first, the old one after', async () => {
  const host = new Map<string, string>();
  const calls: string[] = [];
  const kernel = fakeEngine('kernel', { modes: ['OFF'] });
  const uring = fakeEngine('uring', {}, host);
  for (const engine of [kernel, uring])
    engine.answer = ({ id }) => {
      calls.push(`${engine.name} ${id}`);
      return undefined;
    };
  const { clock, made } = await reconciler([kernel, uring]);
  made.feed(put(rule('a')), 1);
  await clock.advance(0);
  assert.deepEqual([...made.placements.takeMoved()], [['a', { engine: 'kernel', why: 'first choice' }]]);
  made.feed(put(rule('a', { mode: 'PPV2' })), 2);
  await clock.advance(0);
  assert.deepEqual([...made.placements.takeMoved()], [['a', { engine: 'uring', why: 'kernel: it has no PPV2' }]]);
  assert.deepEqual([kernel.listeners.size, uring.listeners.size, calls], [0, 1, ['kernel a', 'uring a']]);
  assert.deepEqual(kernel.calls, ['apply a', 'remove a']);
});

test('where the new engine can’t bind beside the old one, the old one goes first', async () => {
  const host = new Map<string, string>();
  const uring = fakeEngine('uring', { modes: ['OFF'] }, host);
  const node = fakeEngine('node', {}, host);
  const { clock, made, failures } = await reconciler([uring, node]);
  made.feed(put(rule('a')), 1);
  await clock.advance(0);
  made.feed(put(rule('a', { mode: 'PPV1' })), 2);
  await clock.advance(0);
  assert.deepEqual([made.applied, failures(), [...node.listeners.keys()]], [2, {}, ['a']]);
});

test('a rule no engine can take is down and says why; the next definition can bring it back', async () => {
  const node = fakeEngine('node');
  const { clock, made, failures } = await reconciler([node]);
  made.feed(put(rule('a')), 1);
  await clock.advance(0);
  made.feed(put(rule('a', { mode: 'TOA' })), 2);
  await clock.advance(0);
  assert.equal(made.applied, 2);
  assert.match(failures()['a'] ?? '', /^TOA needs the uring engine/);
  assert.equal(node.listeners.size, 0);
  made.feed(put(rule('a')), 3);
  await clock.advance(0);
  assert.deepEqual([failures(), node.listeners.size], [{}, 1]);
});

test('engines are pruned to the plan before it counts as applied', async () => {
  const kernel = fakeEngine('kernel', { modes: ['OFF'] });
  const node = fakeEngine('node');
  const { clock, made } = await reconciler([kernel, node]);
  const rules = [rule('a', port(1)), rule('b', { ...port(2), mode: 'PPV1' })];
  made.feed(put(...rules), 5, { all: new Map(rules.map((one) => [one.id, one])) });
  assert.equal(made.applied, 0);
  await clock.advance(0);
  assert.equal(made.applied, 5);
  assert.deepEqual([kernel.calls[0], node.calls[0]], ['prune a', 'prune b']);
});

test('a listener that goes down by itself fails its rule and is brought back', async () => {
  const node = fakeEngine('node');
  const { clock, made, failures } = await reconciler([node]);
  made.feed(put(rule('a')), 1);
  await clock.advance(0);
  made.listener('uring', 'a', { ok: false, reason: 'not its engine' });
  made.listener('node', 'a', { ok: false, reason: 'the address is gone' });
  assert.deepEqual(failures(), { a: 'the address is gone' });
  await clock.advance(1_500);
  assert.deepEqual([failures(), node.calls], [{}, ['apply a', 'apply a']]);
});

test('an unresolved origin name: an empty listener, the name told and no failure, targets when it resolves', async () => {
  const node = fakeEngine('node');
  const known = new Map<string, string[]>();
  const lookup: Lookup = (name) => {
    const addresses = known.get(name);
    return addresses ? Promise.resolve({ addresses, ttlSeconds: 5 }) : Promise.reject(new Error('NXDOMAIN'));
  };
  const { clock, made, failures } = await reconciler([node], {}, lookup);
  made.feed(put(rule('a', origin('o.example')), rule('b', port(2))), 1);
  await clock.advance(0);
  assert.deepEqual([made.applied, failures()], [1, {}]);
  assert.deepEqual([...made.unresolved()], [{ id: 'a', names: ['o.example'] }]);
  assert.deepEqual(node.listeners.get('a')?.targets, []);
  known.set('o.example', ['198.51.100.7']);
  await clock.advance(1_500);
  assert.deepEqual(
    [[...made.unresolved()], node.listeners.get('a')?.targets.map(({ address }) => address)],
    [[], ['198.51.100.7']],
  );
  known.delete('o.example');
  const calls = node.calls.length;
  await clock.advance(60_000);
  assert.deepEqual([[...made.unresolved()], node.calls.length], [[], calls]);
  made.feed({ put: [], drop: ['a'] }, 2);
  await clock.advance(0);
  assert.deepEqual([failures(), [...made.unresolved()]], [{}, []]);
});

test('a name that takes long holds up its rule for a second, other rules not at all', async () => {
  const node = fakeEngine('node');
  const { clock, made, failures } = await reconciler([node], {}, () => new Promise(() => {}));
  made.feed(put(rule('a', origin('o.example'))), 1);
  made.feed(put(rule('b', port(2))), 2);
  await clock.advance(900);
  assert.deepEqual([made.applied, [...node.listeners.keys()]], [0, ['b']]);
  await clock.advance(200);
  assert.deepEqual([made.applied, failures()], [2, {}]);
  assert.deepEqual([...made.unresolved()], [{ id: 'a', names: ['o.example'] }]);
});

test('an engine that throws is a failure of the rule, not of the edge', async () => {
  const node = fakeEngine('node');
  node.answer = ({ id }) => (id === 'a' ? Promise.reject(new Error('boom')) : undefined);
  const { clock, made, failures } = await reconciler([node]);
  made.feed(put(rule('a', port(1)), rule('b', port(2))), 1);
  await clock.advance(500);
  assert.deepEqual([made.applied, failures()], [1, { a: 'the node engine failed: boom' }]);
});

test('when it stops, nothing is tried again', async () => {
  const node = fakeEngine('node');
  node.answer = () => ({ ok: false, reason: 'no' });
  const { clock, names, made } = await reconciler([node]);
  made.feed(put(rule('a', origin('o.example'))), 1);
  await clock.advance(2_000);
  made.stop();
  names.stop();
  const calls = node.calls.length;
  await clock.advance(60_000);
  assert.deepEqual([node.calls.length, clock.waiting], [calls, 0]);
});

test('a rule that waits reaches its engine after what it waits for, as it is wanted by then; others at once', async () => {
  const node = fakeEngine('node');
  const { clock, made, settled } = await reconciler([node]);
  const limits = Promise.withResolvers<void>();
  const waits = (id: string): boolean => id !== 'b';
  made.feed(put(rule('a', port(1)), rule('b', port(2)), rule('c', port(3))), 1, { limits: limits.promise, waits });
  made.feed(drop('c'), 2);
  await clock.advance(0);
  assert.deepEqual([node.calls, settled, made.applied], [['apply b'], ['b'], 0]);
  limits.resolve();
  await clock.advance(0);
  assert.deepEqual([node.calls, settled.toSorted(), made.applied], [['apply b', 'apply a'], ['a', 'b', 'c'], 2]);
});

test('what is wanted has come when the engine says so, not before; of what was never there, at once', async () => {
  const node = fakeEngine('node');
  const { clock, made, settled } = await reconciler([node]);
  node.answer = () => ({ ok: false, reason: 'no' });
  made.feed(put(rule('a')), 1);
  made.feed(drop('b'), 2);
  await clock.advance(400);
  assert.deepEqual([made.applied, settled], [2, ['b']]);
  node.answer = () => undefined;
  await clock.advance(2_000);
  assert.deepEqual(settled, ['b', 'a']);
  made.feed(drop('a'), 3);
  await clock.advance(0);
  assert.deepEqual(settled, ['b', 'a', 'a']);
});

test('a rule that moves to an engine that translates: there first, and the old one keeps its sockets for handshakes', async () => {
  const uring = fakeEngine('uring');
  const kernel = fakeEngine('kernel', { modes: ['OFF'], translates: true });
  const { clock, made } = await reconciler([uring, kernel]);
  made.feed(put(rule('a', { mode: 'PPV1' })), 1);
  await clock.advance(0);
  made.feed(put(rule('a')), 2);
  await clock.advance(900);
  assert.deepEqual([uring.calls, kernel.calls], [['apply a'], ['apply a beside PPV1']]);
  assert.equal(made.applied, 1);
  await clock.advance(100);
  assert.deepEqual([uring.calls, made.applied], [['apply a', 'remove a'], 2]);
  const why = (): string => made.placements.all().get('a')?.why ?? '';
  assert.match(why(), /^first choice; moved from uring: DSCP, .* now pass, .* are traffic/);
  made.feed(put(rule('a', { mode: 'PPV2' })), 3);
  await clock.advance(0);
  assert.deepEqual([uring.calls.at(-1), kernel.calls.at(-1)], ['apply a beside OFF', 'remove a']);
  assert.match(why(), /moved from kernel: DSCP, .* no longer pass, .* are not traffic, .* bytes are payload$/);
  made.feed(put(rule('a', { mode: 'PPV1' })), 4);
  await clock.advance(0);
  assert.match(why(), /moved from kernel/);
});

test('a rule whose sockets the process before this one serves waits with a relay that takes them', async () => {
  const uring = fakeEngine('uring');
  const kernel = fakeEngine('kernel', { modes: ['OFF'], translates: true });
  let hasBegun = false;
  const { clock, made } = await reconciler([uring, kernel], { comesWithSockets: () => !hasBegun });
  made.feed(put(rule('a')), 1);
  await clock.advance(0);
  assert.deepEqual([made.applied, uring.calls, kernel.calls], [1, ['apply a'], []]);
  assert.match(made.placements.all().get('a')?.why ?? '', /until the edge before this one lets go, then kernel/);
  hasBegun = true;
  made.begin();
  await clock.advance(1_000);
  assert.deepEqual([uring.calls, kernel.calls], [['apply a', 'remove a'], ['apply a beside OFF']]);
  assert.deepEqual(made.placements.all().get('a'), { engine: 'kernel', why: 'first choice' });
});
