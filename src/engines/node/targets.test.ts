import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listener, target } from '../../../test/suites/engine/listener.ts';
import type { Listener, Target } from '../engine.ts';
import type { OriginState } from '../../domain/fact/health.ts';
import { TargetStates } from '../flow/target-states.ts';
import { RuleTargets } from './targets.ts';

const CLIENT = '192.0.2.1';
const rule = listener({
  ports: [{ from: 443, to: 444 }],
  originPorts: { from: 8443, to: 8444 },
  targets: [target('10.0.0.1'), target('10.0.0.2')],
});

function targetsOf(change: Partial<Listener> = {}) {
  const time = { now: 0 };
  const states = new TargetStates();
  const say = (address: string, state: OriginState, share?: number) =>
    states.set({ target: target(address).number, state, ...(share !== undefined && { share }) }, 0);
  return { targets: new RuleTargets({ ...rule, ...change }, states, () => time.now), time, say };
}
const chosen = (targets: RuleTargets, count: number, port = 8443): string[] =>
  Array.from({ length: count }, () => targets.choose(CLIENT, port)?.address.at(-1) ?? '-');

test('a target that rests is chosen only where there is no other, for ten seconds', () => {
  const { targets, time } = targetsOf();
  targets.rest('10.0.0.1');
  time.now = 9_999;
  assert.deepEqual(chosen(targets, 3), ['2', '2', '2']);
  assert.equal(targets.choose(CLIENT, 8443, new Set(['10.0.0.2']))?.address, '10.0.0.1');
  time.now = 10_000;
  assert.deepEqual(new Set(chosen(targets, 2)), new Set(['1', '2']));
});

test('a target that rests is no other one to go to, and one that comes back to the rule rests no more', () => {
  const { targets } = targetsOf();
  const [first, second] = ['10.0.0.1', '10.0.0.2'].map((address) => ({ address, port: 8443 }));
  assert.deepEqual([targets.hasOther(first!), targets.hasOther(second!)], [true, true]);
  targets.rest('10.0.0.2');
  assert.deepEqual([targets.hasOther(first!), targets.hasOther(second!)], [false, true]);
  targets.update({ ...rule, targets: [target('10.0.0.1')] });
  assert.deepEqual(chosen(targets, 1), ['1']);
  targets.update(rule);
  assert.equal(targets.hasOther(first!), true);
});

test('a client keeps its target until that fails, is barred, rests, or takes nothing new', () => {
  const loops: Target = { ...target('10.0.0.2'), barred: { cause: 'loop', ports: [{ from: 8444, to: 8444 }] } };
  const { targets, time } = targetsOf({ persistSeconds: 30, targets: [target('10.0.0.1'), loops] });
  targets.settle(CLIENT, '10.0.0.2');
  assert.deepEqual(
    [chosen(targets, 3), chosen(targets, 2, 8444)],
    [
      ['2', '2', '2'],
      ['1', '1'],
    ],
  );
  targets.rest('10.0.0.2');
  assert.deepEqual(chosen(targets, 2), ['1', '1']);
  time.now = 10_000;
  assert.deepEqual(chosen(targets, 2), ['2', '2']);
  targets.settle(CLIENT, undefined);
  assert.deepEqual(new Set(chosen(targets, 2)), new Set(['1', '2']));
});

test('a connection keeps its place while its entry, its port and its target are served', () => {
  const { targets } = targetsOf();
  const origin = { address: '10.0.0.1', port: 8443 };
  assert.deepEqual(
    [443, 444, 445].map((port) => targets.originPort(port)),
    [8443, 8444, undefined],
  );
  assert.equal(targets.keeps(origin, 443, true), true);
  assert.equal(targets.keeps(origin, 443, false), false);
  assert.equal(targets.keeps(origin, 444, true), false);
  assert.equal(targets.keeps({ ...origin, address: '10.0.0.3' }, 443, true), false);
  assert.equal(targets.keeps(undefined, 445, true), true);
  assert.equal(targets.keeps(undefined, 443, false), false);
});

test('an address that has left its name is known, and the first bar says why there is no target', () => {
  const { targets } = targetsOf();
  assert.deepEqual([[...targets.left], targets.whyNone], [[], 'no-origin']);
  const left: Target = { ...target('10.0.0.1', 0), left: true };
  targets.update({ ...rule, targets: [left, { ...target('10.0.0.2', 0), barred: { cause: 'denied' } }] });
  assert.deepEqual([...targets.left], ['10.0.0.1']);
  assert.deepEqual([targets.whyNone, targets.choose(CLIENT, 8443)], ['denied', undefined]);
});

test('a target that is down is chosen only where all are, and then as if all were up', () => {
  const { targets, say } = targetsOf({ targets: [target('10.0.0.1'), target('10.0.0.2'), target('10.0.0.3', 10, 1)] });
  say('10.0.0.1', 'down');
  assert.deepEqual(chosen(targets, 3), ['2', '2', '2']);
  say('10.0.0.2', 'down');
  assert.deepEqual(chosen(targets, 2), ['3', '3']);
  say('10.0.0.3', 'down');
  assert.deepEqual(new Set(chosen(targets, 2)), new Set(['1', '2']));
  for (const last of [1, 2, 3]) say(`10.0.0.${last}`, 'up');
  assert.deepEqual(new Set(chosen(targets, 2)), new Set(['1', '2']));
});

test('a target in state try is chosen once, then as if it were down, until it is said to be something else', () => {
  const { targets, say } = targetsOf();
  say('10.0.0.1', 'try');
  assert.equal(chosen(targets, 6).filter((one) => one === '1').length, 1);
  const origin = { address: '10.0.0.1', port: 8443 };
  assert.equal(targets.isLeft(origin), false);
  say('10.0.0.1', 'down');
  assert.equal(targets.isLeft(origin), true);
  say('10.0.0.2', 'down');
  assert.equal(targets.isLeft(origin), false);
});

test('a client leaves its target while that is down, and keeps it where all are', () => {
  const { targets, say } = targetsOf({ persistSeconds: 30 });
  targets.settle(CLIENT, '10.0.0.2');
  say('10.0.0.2', 'down');
  assert.deepEqual(chosen(targets, 2), ['1', '1']);
  say('10.0.0.1', 'down');
  assert.deepEqual(chosen(targets, 2), ['2', '2']);
});

test('one that starts slowly is chosen as if it weighed less; where nobody else of its tier can, always', () => {
  const { targets, say } = targetsOf({ targets: [target('10.0.0.1'), target('10.0.0.2'), target('10.0.0.3', 10, 1)] });
  say('10.0.0.1', 'up', 64);
  const some = chosen(targets, 20);
  assert.deepEqual([some.filter((one) => one === '1').length, some.includes('3')], [4, false]);
  assert.equal(targets.choose(CLIENT, 8443, new Set(['10.0.0.2']))?.address, '10.0.0.1');
  say('10.0.0.2', 'down');
  assert.deepEqual(chosen(targets, 5), ['1', '1', '1', '1', '1']);
  say('10.0.0.2', 'up', 1);
  assert.equal(chosen(targets, 20).filter((one) => one === '1').length, 10);
  say('10.0.0.1', 'up');
  say('10.0.0.2', 'up');
  assert.equal(chosen(targets, 20).filter((one) => one === '1').length, 10);
});

test('a client keeps its target through a slow start', () => {
  const { targets, say } = targetsOf({ persistSeconds: 30 });
  targets.settle(CLIENT, '10.0.0.2');
  say('10.0.0.2', 'up', 1);
  assert.deepEqual(chosen(targets, 5), ['2', '2', '2', '2', '2']);
});

test('with failover `tier` a client that a target has failed gets one of another tier, up before down', () => {
  const tiers = [target('10.0.0.1'), target('10.0.0.2'), target('10.0.0.3', 10, 1), target('10.0.0.4', 10, 2)];
  const { targets, say } = targetsOf({ targets: tiers, failover: 'tier' });
  const after = (...failed: string[]): string | undefined =>
    targets.choose(CLIENT, 8443, new Set(failed.map((last) => `10.0.0.${last}`)))?.address.at(-1);
  assert.deepEqual([after('1'), after('1', '3'), after('1', '3', '4')], ['3', '4', '2']);
  say('10.0.0.3', 'down');
  assert.equal(after('1'), '4');
  say('10.0.0.4', 'down');
  assert.equal(after('1'), '2');
  say('10.0.0.2', 'down');
  assert.equal(after('1'), '3');
  targets.update({ ...rule, targets: tiers });
  assert.equal(after('1'), '2');
});
