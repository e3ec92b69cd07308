/** Golden files: what the table is for some rules, and what a change of a rule takes. `UPDATE=1` writes what comes out. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { env } from 'node:process';
import { test } from 'node:test';
import { RULES } from '../testdata/rules.ts';
import { contentsOf, drainingContents, type Place } from './contents.ts';
import { render } from '../testdata/render.ts';
import { STAMP } from '../acceleration.ts';
import { settingsName, settingsOf } from './settings.ts';
import { LAYOUT, NO_CONTENTS } from './sets.ts';
import { difference, textOf } from '../../../linux/nft/transaction.ts';
import type { Listener } from '../../engine.ts';

function golden(name: string, actual: string): void {
  const file = new URL(`testdata/${name}.nft`, import.meta.url);
  if (env['UPDATE'] === '1') writeFileSync(file, actual);
  assert.equal(actual, readFileSync(file, 'utf8'));
}

test('the table of a handful of rules', async () => {
  golden('rules', await render(Object.values(RULES), { isGuarded: true, stamp: STAMP, owner: '/var/lib/edgefour' }));
});

function contents(listener: Listener) {
  const slots = new Map(listener.targets.map(({ address }, i) => [address, i + 1]));
  const place: Place = { indices: [1], slots, settings: settingsName(settingsOf(listener)) };
  return contentsOf(listener, place);
}

test('a rule whose packets conntrack or a limit must see stays on the long way, drained too', () => {
  const isSlow = (change: Partial<Listener>): boolean => {
    const all = contents({ ...RULES.udp, ...change });
    const has = ({ elements }: typeof all): boolean => elements.values().some(({ set }) => set === 'slow');
    assert.equal(has(all), has(drainingContents(all)));
    return has(all);
  };
  const idle = (idleSeconds: number) => ({ options: { ...RULES.udp.options, idleSeconds } });
  const limits = { limits: { packetsPerSecond: 100 } };
  assert.deepEqual([{}, idle(3), idle(2), limits].map(isSlow), [false, false, true, true]);
  assert.equal(isSlow({ ...limits, protocol: 'TCP' }), false);
});

test('what a change takes: only what differs, and what is jumped to first', () => {
  const { one, turn, kept } = RULES;
  const steps: readonly (readonly [string, string])[] = [
    ['the same again', textOf(LAYOUT, difference(contents(one), contents(one)))],
    [
      'another origin',
      textOf(LAYOUT, difference(contents(one), contents({ ...one, targets: turn.targets.slice(1, 2) }))),
    ],
    ['another port', textOf(LAYOUT, difference(contents(one), contents({ ...one, ports: [{ from: 81, to: 90 }] })))],
    ['several origins', textOf(LAYOUT, difference(contents(one), contents({ ...one, targets: turn.targets })))],
    [
      'persistence',
      textOf(LAYOUT, difference(contents(turn), contents({ ...turn, persistSeconds: kept.persistSeconds }))),
    ],
    ['one origin again', textOf(LAYOUT, difference(contents(kept), contents({ ...kept, targets: one.targets })))],
    ['no origin', textOf(LAYOUT, difference(contents(one), contents({ ...one, targets: [] })))],
    ['taken down', textOf(LAYOUT, difference(contents(kept), drainingContents(contents(kept))))],
    ['gone', textOf(LAYOUT, difference(drainingContents(contents(kept)), NO_CONTENTS))],
  ];
  golden('changes', steps.map(([what, text]) => `# ${what}\n${text}\n`).join(''));
});

test('every port of a range that moves has its own place, and a range that stays has one', () => {
  const wide = { ...RULES.shift, ports: [{ from: 10_000, to: 19_999 }], originPorts: { from: 20_000, to: 29_999 } };
  const shifts = [...contents(wide).elements.values()].filter(({ set }) => set === 'shift');
  assert.equal(shifts.length, 10_000);
  assert.equal(shifts.at(-1)?.data, '29999');
  const still = contents({ ...wide, originPorts: { from: 10_000, to: 19_999 } });
  assert.deepEqual(
    [...still.elements.values()].filter(({ set }) => set === 'shift' || set === 'span4').map(({ key }) => key),
    ['192.0.2.1 . tcp . 10000-19999'],
  );
});

test('targets that are shut: the others get exactly their shares; a map of clients stays as long as there are several', () => {
  const weights = [50, 30, 20, 0];
  const family = (shut: readonly number[], change: Partial<Listener> = {}) => {
    const listener = { ...RULES.turn, ...change };
    const addresses = listener.targets.map(({ address }) => address);
    const place: Place = { indices: [1], slots: new Map(addresses.map((one, i) => [one, i + 1])), settings: 's' };
    const all = contentsOf(listener, place, ({ address }) => (shut.includes(addresses.indexOf(address)) ? 0 : 1));
    const marks = new Map(
      [...all.elements.values()].flatMap(({ set, key, data }) => (set === 'to4' ? [[key, data]] : [])),
    );
    const counts = weights.map(() => 0);
    for (const { set, data } of all.elements.values()) {
      const at = addresses.indexOf((marks.get(data) ?? '').split(' ')[0] ?? '');
      if (set === 'counts4') counts[at] = (counts[at] ?? 0) + 1;
    }
    return { counts, places: [...marks.values()].map((place) => place.split(' ')[0]), maps: [...all.maps.keys()] };
  };
  assert.deepEqual(family([]).counts, [5, 3, 2, 0]);
  assert.deepEqual(family([0]).counts, [0, 6, 4, 0]);
  // 5 to 2 in ten counts, off by less than one.
  assert.deepEqual(family([1]).counts, [7, 0, 3, 0]);
  // One is left: the chain stays. All are shut: as if none were.
  assert.deepEqual(family([0, 1]), { ...family([]), counts: [0, 0, 10, 0] });
  assert.deepEqual(family([0, 1, 2]), family([]));

  const kept = (...shut: number[]) => family(shut, { persistSeconds: 60 });
  assert.deepEqual(kept(0), { counts: [0, 6, 4, 0], places: ['10.0.0.2', '10.0.0.3'], maps: ['kept-1-4'] });
  assert.deepEqual(kept(0, 1), { counts: [0, 0, 10, 0], places: ['10.0.0.3'], maps: ['kept-1-4'] });
  const tiers = { targets: RULES.turn.targets.map((target, tier) => ({ ...target, tier })), persistSeconds: 60 };
  assert.deepEqual(family([], tiers).counts, [1, 0, 0, 0]);
  assert.deepEqual(family([0], tiers).counts, [0, 1, 0, 0]);
});
