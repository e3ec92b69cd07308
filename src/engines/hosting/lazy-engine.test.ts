import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listener } from '../../../test/suites/engine/listener.ts';
import type { Capabilities, Engine } from '../engine.ts';
import { absentEngine } from './forward.ts';
import { lazyEngine } from './lazy-engine.ts';

const CAPABILITIES: Capabilities = { modes: ['OFF'], protocols: ['TCP'], ipv6: false, nextOrigin: true };

/** Engines that note what is asked of them; the first `failures` can't be made. */
function workshop(failures = 0) {
  const asked: string[] = [];
  let made = 0;
  const make = (): Promise<Engine> => {
    made += 1;
    if (made <= failures) return Promise.reject(new Error('no thread'));
    return Promise.resolve({
      ...absentEngine('node', 'unused'),
      capabilities: () => CAPABILITIES,
      apply({ id }) {
        asked.push(`apply ${id}`);
        return Promise.resolve({ ok: true });
      },
      async remove(id) {
        asked.push(`remove ${id}`);
      },
      async prune(keep) {
        asked.push(`prune ${[...keep].join()}`);
      },
      async states(changes) {
        asked.push(`states ${changes.map(({ target, state }) => `${target} ${state}`).join()}`);
      },
      async stop(drainMs) {
        asked.push(`stop ${drainMs}`);
      },
    });
  };
  return { engine: lazyEngine('node', CAPABILITIES, make), asked, made: () => made };
}

test('nothing is made before the first rule, whatever else is asked', async () => {
  const { engine, made } = workshop();
  assert.equal(engine.capabilities(), CAPABILITIES);
  await engine.remove('a');
  await engine.prune(new Set());
  assert.equal((await engine.counters()).size, 0);
  await engine.stop(1);
  assert.equal(made(), 0);
});

test('two first rules make one engine, which is then asked everything', async () => {
  const { engine, asked, made } = workshop();
  const rules = [listener({ id: 'a' }), listener({ id: 'b' })];
  assert.deepEqual(await Promise.all(rules.map((rule) => engine.apply(rule))), [{ ok: true }, { ok: true }]);
  await engine.remove('a');
  await engine.prune(new Set(['b']));
  await Promise.all([engine.stop(7), engine.stop(7)]);
  assert.equal(made(), 1);
  assert.deepEqual(asked, ['apply a', 'apply b', 'remove a', 'prune b', 'stop 7']);
});

test('one that can not be made fails the rule with the reason, and is tried again', async () => {
  const { engine, made } = workshop(1);
  const reason = 'the node engine could not be started: no thread';
  assert.deepEqual(await engine.apply(listener({ id: 'a' })), { ok: false, reason });
  assert.deepEqual(await engine.apply(listener({ id: 'a' })), { ok: true });
  assert.equal(made(), 2);
});

test('after the end nothing is made any more', async () => {
  const { engine, made } = workshop();
  await engine.stop(0);
  assert.deepEqual(await engine.apply(listener({ id: 'a' })), { ok: false, reason: 'the engine is stopped' });
  assert.equal(made(), 0);
});

test('an engine that is made later starts with the states of targets, and hears the next ones', async () => {
  const { engine, asked } = workshop();
  await engine.states([
    { target: 1, state: 'down' },
    { target: 2, state: 'down' },
  ]);
  await engine.states([{ target: 1, state: 'up' }]);
  await engine.apply(listener({ id: 'a' }));
  await engine.states([{ target: 2, state: 'try' }]);
  assert.deepEqual(asked, ['states 2 down', 'apply a', 'states 2 try']);
});
