import assert from 'node:assert/strict';
import { test } from 'node:test';
import { change, type GuardedRule, type Networks, NOTHING, render, setName, whole } from './render.ts';

const rule = (id: string, limits: GuardedRule['limits'], banned = false): GuardedRule => ({
  id,
  proxy: 'sid-1',
  protocol: 'TCP',
  entries: ['10.0.0.1'],
  ports: [{ from: 443, to: 443 }],
  limits,
  banned,
});
const bans = (end: string): Networks => ({ 'ban/sid-1': { v4: new Map([['192.0.2.0/24', end]]), v6: new Map() } });

test('a ban is written with what is left of it, and one that stays is not written again', () => {
  const rules = [rule('rule-a', {}, true)];
  const now = 1_700_000_000_000;
  const table = render(rules, bans(`${now + 60_000}`));
  const name = setName('ban/sid-1', 4);
  const line = `add element inet edgefour_guard ${name} { 192.0.2.0/24 timeout 60000ms }`;
  assert.ok(whole(table, 'me', now).split('\n').includes(line));
  assert.equal(change(table, render(rules, bans(`${now + 60_000}`)), now + 5), '');
  const forever = change(table, render(rules, bans('')), now).split('\n');
  assert.deepEqual(forever.slice(0, 2), [
    `delete element inet edgefour_guard ${name} { 192.0.2.0/24 }`,
    `add element inet edgefour_guard ${name} { 192.0.2.0/24 }`,
  ]);
});

test('another limit of one rule leaves the chains and meters of the others alone', () => {
  const other = rule('rule-b', { newPerSecond: 7 });
  const [before, after] = [5, 6].map((newPerSecond) =>
    render([rule('rule-a', { newPerSecond }), { ...other, entries: ['10.0.0.2'] }], {}),
  );
  const text = change(before ?? NOTHING, after ?? NOTHING, 0);
  assert.match(text, /limit rate over 6\/second/);
  assert.doesNotMatch(text, /rule-b/);
});
