import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../../test/world/manual-clock.ts';
import type { Flow } from '../../../linux/netlink/conntrack.ts';
import { createIdleTimes, lookAt } from './idle-times.ts';
import { emptyRules } from '../testdata/rule-set.ts';
import { flow } from '../testdata/flow.ts';

/** A rule with an idle time, and what the kernel knows: `flows`. Seconds pass; what is done with connections is told. */
function stage(seconds: number) {
  const clock = new ManualClock();
  const registry = emptyRules();
  const rule = registry.take('a', 'p') ?? assert.fail();
  const become = (idleSeconds: number): void =>
    void Object.assign(rule, { isUp: true, settings: { protocol: 'TCP', idleSeconds, recordOneIn: 1 } });
  become(seconds);
  const flows: Flow[] = [];
  const done: string[] = [];
  const conntrack = {
    flows: () => flows,
    keep: (all: readonly { flow: Flow; seconds: number }[]) =>
      done.push(...all.map(({ flow, seconds }) => `keep ${flow.id} ${seconds}`)),
  };
  const end = (all: readonly Flow[], cause: string): void => void done.push(...all.map(({ id }) => `${cause} ${id}`));
  const idle = createIdleTimes({ clock, rules: () => registry.byId.values(), conntrack, end });
  idle.note();
  return {
    become,
    flows,
    /** The next look, so many seconds later. */
    async look(after: number): Promise<string[]> {
      await clock.advance(after * 1000);
      idle.attend();
      return done.splice(0);
    },
    now: () => clock.now(),
  };
}

test('a shorter idle time ends a connection that is silent for longer, and no other', async () => {
  const it = stage(600);
  await it.look(1);
  const old = { startedAt: it.now() - 1 };
  it.flows.push(flow({ ...old, id: 1, timeout: 500 }), flow({ ...old, id: 2, timeout: 595 }));
  it.become(60);
  assert.deepEqual(await it.look(1), ['idle 1']);
  it.flows.splice(0, 1, flow({ id: 3, startedAt: it.now() + 1, timeout: 1 }));
  assert.deepEqual(await it.look(50), []);
  // It has spoken; the time that is left says when.
  it.flows[1] = flow({ ...old, id: 2, packetsIn: 11, timeout: 590 });
  assert.deepEqual([await it.look(10), await it.look(49)], [[], []]);
  assert.deepEqual(await it.look(1), ['idle 2']);
});

test('one that began since the last look is told by the time that it has left', async () => {
  const it = stage(600);
  await it.look(1);
  it.become(5);
  const young = { startedAt: it.now() + 400 };
  it.flows.push(flow({ ...young, id: 1, timeout: 599 }), flow({ ...young, id: 2, timeout: 4 }));
  assert.deepEqual(await it.look(0.5), []);
  it.flows.splice(0, 2, flow({ ...young, id: 1, timeout: 594 }), flow({ ...young, id: 2, timeout: 1 }));
  assert.deepEqual(await it.look(5), ['idle 1']);
});

test('a longer idle time keeps who would be forgotten, until it is over', async () => {
  const it = stage(30);
  await it.look(1);
  const one = { id: 1, startedAt: it.now() - 1 };
  it.flows.push(flow({ ...one, timeout: 20 }));
  it.become(120);
  assert.deepEqual(await it.look(1), []);
  it.flows[0] = flow({ ...one, timeout: 10 });
  assert.deepEqual(await it.look(10), ['keep 1 100']);
  it.flows[0] = flow({ ...one, timeout: 60 });
  assert.deepEqual(await it.look(40), []);
  it.flows[0] = flow({ ...one, timeout: 0 });
  assert.deepEqual(await it.look(60), ['idle 1']);
});

test('one that opens or closes, or began at an unknown time, is left alone; back as it was, all are', async () => {
  const it = stage(600);
  await it.look(1);
  const old = { startedAt: it.now() - 1, timeout: 100 };
  it.flows.push(flow({ ...old, state: 1 }), flow({ ...old, state: 7 }), flow({ timeout: 100, startedAt: undefined }));
  it.become(60);
  assert.deepEqual(await it.look(1), []);
  it.flows.push(flow(old));
  it.become(600);
  assert.deepEqual(await it.look(1), []);
});

test('while an answer is missing the kernel waits less: that is not silence', () => {
  const since = (timeout: number): number => lookAt(flow({ timeout }), 600, 1_000_000, undefined).since;
  assert.deepEqual([since(600), since(450), since(300), since(250)], [1_000_000, 850_000, 1_000_000, 950_000]);
});
