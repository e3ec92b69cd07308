import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { L4Proxy } from './l4-proxy/l4-proxy.ts';
import type { L4Rule } from './l4-rule/l4-rule.ts';
import { type AckView, balancerStatus, proxyStatus, ruleStatus } from './status.ts';

const rule: L4Rule = {
  id: 'rule-1',
  protocol: 'TCP',
  portRange: ['80'],
  originType: 'IP_DOMAIN',
  originValue: ['10.0.0.1'],
  originPortRange: '80',
  want: 'online',
  changed: 7,
};
const proxy: L4Proxy = {
  id: 'sid-1',
  zone: 'zone-1',
  account: 'a',
  name: 'p',
  area: 'overseas',
  ipv6: 'off',
  staticIp: 'off',
  accelerateMainland: 'off',
  entries: {},
  want: 'online',
  banned: false,
  rules: [rule],
  changed: 5,
  updatedAt: 0,
};
const zone = { paused: false, changed: 3 };

function acks(applied: number, ...failed: string[]): AckView {
  return { applied: () => applied, failures: (id) => (failed.includes(id) ? ['edge-1: no'] : []) };
}

/** What is wanted and what the edges say → instance and rule. */
const TABLE: readonly [what: string, proxy: Partial<L4Proxy>, zone: object, acks: AckView, expected: string][] = [
  ['no edge has ever reported', {}, {}, acks(0), 'progress progress'],
  ['the instance is not applied yet', {}, {}, acks(4), 'progress progress'],
  ['the instance is applied, the rule not', {}, {}, acks(6), 'online progress'],
  ['all is applied', {}, {}, acks(7), 'online online'],
  ['the rule failed', {}, {}, acks(7, 'rule-1'), 'online fail'],
  ['the rule failed before it was changed again', {}, {}, acks(6, 'rule-1'), 'online progress'],
  ['the instance failed', {}, {}, acks(7, 'sid-1'), 'fail fail'],
  ['going off', { want: 'offline', changed: 8 }, {}, acks(7), 'stopping stopping'],
  ['off', { want: 'offline', changed: 8 }, {}, acks(8, 'sid-1'), 'offline offline'],
  ['off, and still forwarded', { want: 'offline', changed: 8 }, {}, acks(8, 'rule-1'), 'offline fail'],
  ['the zone is being paused', {}, { paused: true, changed: 9 }, acks(8), 'stopping stopping'],
  ['the zone is paused', {}, { paused: true, changed: 9 }, acks(9), 'offline offline'],
  ['the zone is enabled again', {}, { changed: 9 }, acks(8), 'progress progress'],
  ['banned at once, the rules when the edges know', { banned: true, changed: 9 }, {}, acks(8), 'banned stopping'],
  ['banned', { banned: true, changed: 9 }, {}, acks(9), 'banned offline'],
  ['a rule that is off', { rules: [{ ...rule, want: 'offline' }] }, {}, acks(7), 'online offline'],
  ['a rule that goes off', { rules: [{ ...rule, want: 'offline' }] }, {}, acks(6), 'online stopping'],
];
for (const [what, changes, zoneChanges, view, expected] of TABLE) {
  test(`${what}: ${expected}`, () => {
    const instance = { ...proxy, ...changes };
    const place = { ...zone, ...zoneChanges };
    const [first = rule] = instance.rules;
    assert.equal(`${proxyStatus(instance, place, view)} ${ruleStatus(instance, first, place, view, 0)}`, expected);
  });
}

test('a rule waits for the group or balancer that it names, unless it is off', () => {
  const status = (want: L4Rule['want'], applied: number) =>
    ruleStatus(proxy, { ...rule, want }, zone, acks(applied), 9);
  assert.deepEqual([status('online', 8), status('online', 9), status('offline', 8)], ['progress', 'online', 'offline']);
});

test('a balancer runs once every edge knows it', () => {
  assert.deepEqual(
    [balancerStatus({ changed: 7 }, acks(6)), balancerStatus({ changed: 7 }, acks(7))],
    ['Pending', 'Running'],
  );
});
