import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listener } from '../../../test/suites/engine/listener.ts';
import type { Applied, Capabilities, Engine, HandedSession, Succession, TargetState } from '../engine.ts';
import { absentEngine, callOn, forwardTo } from './forward.ts';

/** A class, because an engine may be one: its methods need their object. */
class Noting implements Engine, Succession {
  readonly name = 'noting';
  readonly asked: unknown[][] = [];
  readonly succession = this;

  capabilities(): Capabilities {
    return { modes: [], protocols: [], ipv6: false, nextOrigin: false };
  }
  async apply(...asked: unknown[]): Promise<Applied> {
    this.asked.push(['apply', ...asked]);
    return { ok: true, note: 'as asked' };
  }
  async remove(id: string): Promise<void> {
    this.asked.push(['remove', id]);
  }
  async prune(keep: ReadonlySet<string>): Promise<void> {
    this.asked.push(['prune', keep]);
  }
  async states(changes: readonly TargetState[]): Promise<void> {
    this.asked.push(['states', changes]);
  }
  async counters(): Promise<Awaited<ReturnType<Engine['counters']>>> {
    this.asked.push(['counters']);
    return new Map();
  }
  async stop(drainMs: number): Promise<void> {
    this.asked.push(['stop', drainMs]);
  }
  async handOver(): Promise<readonly HandedSession[]> {
    this.asked.push(['handOver']);
    return [];
  }
  async pause(): Promise<void> {
    this.asked.push(['pause']);
  }
  async resume(): Promise<void> {
    this.asked.push(['resume']);
  }
  async begin(): Promise<void> {
    this.asked.push(['begin']);
  }
}

test('each method of the door comes to the engine as it was called, and its answer back', async () => {
  const engine = new Noting();
  const door = forwardTo(
    'noting',
    () => engine.capabilities(),
    (call) => callOn(engine, structuredClone(call)),
  );
  const rule = listener({ id: 'a' });
  const beside = listener({ id: 'a', mode: 'PPV1' });
  const keep = new Set(['a']);
  assert.deepEqual(await door.apply(rule, beside), { ok: true, note: 'as asked' });
  await door.remove('b');
  await door.prune(keep);
  await door.states([{ target: 3, state: 'down' }]);
  assert.deepEqual(await door.counters(), new Map());
  assert.deepEqual(await door.succession.handOver(), []);
  await door.succession.pause();
  await door.succession.resume();
  await door.succession.begin();
  await door.stop(7);
  assert.deepEqual(engine.asked, [
    ['apply', rule, beside],
    ['remove', 'b'],
    ['prune', keep],
    ['states', [{ target: 3, state: 'down' }]],
    ['counters'],
    ['handOver'],
    ['pause'],
    ['resume'],
    ['begin'],
    ['stop', 7],
  ]);
});

test('an engine that is absent says why, and has nothing', async () => {
  const engine = absentEngine('absent', 'it is not here');
  assert.equal(engine.capabilities().unavailable, 'it is not here');
  assert.deepEqual(await engine.apply(listener({ id: 'a' })), { ok: false, reason: 'it is not here' });
  assert.deepEqual([await engine.counters(), await engine.succession.handOver()], [new Map(), []]);
  assert.equal(await engine.remove('a'), undefined);
});
