/**
 * What engines are told of an origin that comes back and starts slowly: in steps, over a restart, until it is free. And of one
 * whose dials are not to be signals: nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options } from '../../../test/suites/engine/listener.ts';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { TargetOutcomes, TargetState } from '../../engines/engine.ts';
import { seededRng } from '../../lib/rng.ts';
import { Signal } from '../../lib/signal.ts';
import { silentLog } from '../../observe/log.ts';
import { TargetNumbers } from '../origins/numbers.ts';
import type { Origins } from '../origins/origins.ts';
import { keep, readKept } from './kept-origins.ts';
import type { Origin } from './origin.ts';
import { OriginWatch } from './origin-watch.ts';

const SLOWLY = options({ slowStartSeconds: 16 });

/** An edge's watch, with what its engines are told; `found`: of the process before. */
function watching(clock: ManualClock, found: readonly Origin[] = []) {
  const told: string[] = [];
  const outcomes = new Signal<readonly TargetOutcomes[]>();
  const states = (changes: readonly TargetState[]): Promise<void> => {
    for (const { target, state, share = 'whole' } of changes) told.push(`${target} ${state} ${share}`);
    return Promise.resolve();
  };
  const numbers = new TargetNumbers();
  let kept: () => Iterable<Origin> = () => [];
  const dialling = { egress: () => undefined, lookup: () => assert.fail('no name is asked') };
  const origins = { numbers, pools: { changed: new Signal() }, dialling } as unknown as Origins;
  const file = { found, save: (origins: typeof kept) => (kept = origins), close: () => Promise.resolve() };
  const watch = new OriginWatch({
    edge: 'e1',
    engines: { outcomes, states },
    origins,
    file,
    clock,
    rng: seededRng(1),
    log: silentLog,
  });
  return {
    told: () => told.splice(0),
    numbers,
    dial: (counts: TargetOutcomes['counts']) => outcomes.tell([{ target: 0, counts, failedInRow: 0 }]),
    facts: () => watch.facts.facts(0)[0],
    lead: (how = SLOWLY) => {
      const rule = { id: 'a', zone: 'z', protocol: 'TCP', originPorts: { from: 1, to: 1 }, options: how } as const;
      const of = { host: '192.0.2.1', weight: 1, tier: 0 };
      numbers.give(rule, [{ target: { address: '192.0.2.1', weight: 1, tier: 0 }, of }]);
    },
    kept: () => keep(kept(), { monotonic: clock.monotonic(), wall: clock.now() }),
    close: () => watch.close(true),
  };
}

test('an origin that comes back takes more of its turns with time, a restart begins nothing anew', async () => {
  const clock = new ManualClock();
  const first = watching(clock);
  first.lead();
  assert.deepEqual(first.told(), []);
  first.dial({ refused: 3 });
  await clock.advance(5_000);
  first.dial({ ok: 1 });
  assert.deepEqual(first.told(), ['0 down whole', '0 try whole', '0 up 16']);
  await clock.advance(6_000);
  assert.deepEqual(first.told(), ['0 up 48', '0 up 80', '0 up 112']);
  const kept = JSON.parse(JSON.stringify(first.kept())) as unknown;
  await first.close();
  await clock.advance(4_500);
  assert.deepEqual(first.told(), []);

  const next = watching(clock, readKept(kept, { monotonic: clock.monotonic(), wall: clock.now() }));
  next.lead();
  assert.deepEqual(next.told(), ['0 up 176']);
  await clock.advance(1_500);
  assert.deepEqual(next.told(), ['0 up 208']);
  await clock.advance(60_000);
  assert.deepEqual(next.told(), ['0 up 240', '0 up whole']);
  await next.close();
});

test('one that fails again while it starts is down, and begins from the start when it is back', async () => {
  const clock = new ManualClock();
  const { lead, dial, told, close } = watching(clock);
  lead();
  dial({ refused: 3 });
  await clock.advance(5_000);
  dial({ ok: 1 });
  await clock.advance(4_000);
  assert.deepEqual(told(), ['0 down whole', '0 try whole', '0 up 16', '0 up 48', '0 up 80']);
  dial({ refused: 3 });
  await clock.advance(10_000);
  dial({ ok: 1 });
  assert.deepEqual(told(), ['0 down whole', '0 try whole', '0 up 16']);
  await close();
});

test('a number that is free has no share left for the next origin', async () => {
  const clock = new ManualClock();
  const { lead, dial, told, numbers, close } = watching(clock);
  lead();
  dial({ refused: 3 });
  await clock.advance(5_000);
  dial({ ok: 1 });
  told();
  numbers.release('a');
  assert.deepEqual(told(), ['0 up whole']);
  await clock.advance(60_000);
  assert.deepEqual(told(), []);
  await close();
});

test('where a rule has passive signals off, failed dials take nothing out of use, and are counted all the same', async () => {
  const { close, dial, facts, lead, told } = watching(new ManualClock());
  lead(options({ passive: false }));
  for (let i = 0; i < 10; i++) dial({ refused: 10 });
  dial({ ok: 4, refused: 1 });
  assert.deepEqual([told(), facts()?.state, facts()?.dials], [[], 'up', 4]);
  await close();
});
