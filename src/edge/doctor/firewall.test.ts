import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlannedRule } from '../../plan/plan.ts';
import { firewallFindings } from './firewall.ts';
import { placesOf } from './places.ts';
import { readRuleset } from './ruleset.ts';

type Json = Readonly<Record<string, unknown>>;

const PORTS = { ports: [{ from: 443, to: 443 }], originPorts: { from: 8443, to: 8443 } };
const RULE = {
  id: 'rule-a',
  protocol: 'TCP',
  entries: ['192.0.2.1'],
  origins: [{ host: '198.51.100.7', weight: 100, tier: 0 }],
  ...PORTS,
} as unknown as PlannedRule;

const base = (hook: string, prio: number, policy = 'accept', more: Json = {}): Json => ({
  chain: { family: 'inet', table: 'fw', name: `on-${hook}`, type: 'filter', hook, prio, policy, ...more },
});
const sub = (name: string): Json => ({ chain: { family: 'inet', table: 'fw', name } });
const rule = (chain: string, ...expr: Json[]): Json => ({ rule: { family: 'inet', table: 'fw', chain, expr } });
const match = (left: Json, right: unknown, op = '=='): Json => ({ match: { op, left, right } });
const dport = (right: unknown, protocol = 'tcp'): Json => match({ payload: { protocol, field: 'dport' } }, right);
const daddr = (right: unknown): Json => match({ payload: { protocol: 'ip', field: 'daddr' } }, right);
const state = (...words: string[]): Json => match({ ct: { key: 'state' } }, words, 'in');
const ours = match({ '&': [{ ct: { key: 'mark' } }, 0xe000_0000] }, 0xe000_0000);
const asPrefix = match({ ct: { key: 'mark' } }, { prefix: { addr: 0xe000_0000, len: 3 } });
const [drop, accept] = [{ drop: null }, { accept: null }];
const strange = match({ fib: { result: 'type', flags: ['saddr'] } }, 'local');
const nat: Json = { type: 'nat' };
const to = { dnat: { addr: '10.0.0.9', port: 80 } };

const cases: readonly [what: string, ruleset: Json[], state: 'ok' | 'warn', says: RegExp][] = [
  ['nothing there', [], 'ok', /nothing else/],
  [
    'forward drops by policy',
    [base('forward', 0, 'drop')],
    'warn',
    /table inet fw, chain on-forward \(by its policy\) \(forward, priority 0\) drops new connections of rule-a$/,
  ],
  ['what is marked is let in', [base('forward', 0, 'drop'), rule('on-forward', ours, accept)], 'ok', /nothing else/],
  [
    'what is marked is let in, as nft writes it',
    [base('forward', 0, 'drop'), rule('on-forward', asPrefix, accept)],
    'ok',
    /nothing else/,
  ],
  [
    'what is translated is let in',
    [base('forward', 0, 'drop'), rule('on-forward', match({ ct: { key: 'status' } }, 'dnat', 'in'), accept)],
    'ok',
    /nothing else/,
  ],
  [
    'only what goes on is let in',
    [base('forward', 0, 'drop'), rule('on-forward', state('established', 'related'), accept)],
    'warn',
    /rule-a$/,
  ],
  [
    'the origin is let in',
    [
      base('forward', 0, 'drop'),
      rule('on-forward', daddr({ prefix: { addr: '198.51.100.0', len: 24 } }), dport(8443), accept),
    ],
    'ok',
    /nothing/,
  ],
  [
    'something else is let in',
    [base('forward', 0, 'drop'), rule('on-forward', daddr('198.51.100.8'), accept)],
    'warn',
    /rule-a$/,
  ],
  ['perhaps it is let in', [base('forward', 0, 'drop'), rule('on-forward', strange, accept)], 'warn', /unless/],
  [
    'a chain below drops',
    [
      base('prerouting', -150),
      sub('block'),
      rule('on-prerouting', { jump: { target: 'block' } }),
      rule('block', { counter: {} }, dport({ set: [80, { range: [440, 450] }] }), { reject: null }),
    ],
    'warn',
    /chain block \(prerouting, priority -150\) drops new connections of rule-a$/,
  ],
  ['another port', [base('prerouting', -150), rule('on-prerouting', dport(80), drop)], 'ok', /nothing/],
  [
    'another protocol',
    [base('prerouting', -150), rule('on-prerouting', match({ meta: { key: 'l4proto' } }, 'udp'), drop)],
    'ok',
    /nothing/,
  ],
  ['only what is invalid', [base('prerouting', -150), rule('on-prerouting', state('invalid'), drop)], 'ok', /nothing/],
  [
    'its port, on a condition',
    [base('prerouting', -150), rule('on-prerouting', strange, dport(443), drop)],
    'warn',
    /unless/,
  ],
  [
    'a map of verdicts',
    [
      base('input', 0),
      rule('on-input', {
        vmap: {
          key: { payload: { protocol: 'tcp', field: 'dport' } },
          data: {
            set: [
              [22, accept],
              [443, drop],
            ],
          },
        },
      }),
    ],
    'warn',
    /drops new connections of rule-a$/,
  ],
  [
    'input lets it in',
    [base('input', 0, 'drop'), rule('on-input', dport({ set: [22, 443] }), accept)],
    'ok',
    /nothing/,
  ],
  [
    'input knows only loopback',
    [base('input', 0, 'drop'), rule('on-input', match({ meta: { key: 'iif' } }, 'lo'), accept)],
    'warn',
    /input, priority 0/,
  ],
  ['of the other family', [base('forward', 0, 'drop', { family: 'ip6' })], 'ok', /nothing/],
  ['our own', [base('forward', 0, 'drop', { table: 'edgefour' })], 'ok', /nothing/],
  [
    'after the translation',
    [base('prerouting', 0), rule('on-prerouting', daddr('198.51.100.7'), drop)],
    'warn',
    /priority 0\) drops/,
  ],
  [
    'a jump in a ring ends',
    [base('forward', 0), sub('a'), rule('on-forward', { jump: { target: 'a' } }), rule('a', { jump: { target: 'a' } })],
    'ok',
    /nothing/,
  ],
  [
    'its port is translated',
    [
      base('prerouting', -100, 'accept', nat),
      rule('on-prerouting', dport({ set: [443, { range: [8000, 9000] }] }), to),
    ],
    'warn',
    /translates TCP 192\.0\.2\.1 443, the place of rule-a/,
  ],
  [
    'its port is translated, on a condition',
    [base('prerouting', -100, 'accept', nat), rule('on-prerouting', strange, dport(443), to)],
    'warn',
    /translates/,
  ],
  [
    'another port is translated',
    [base('prerouting', -100, 'accept', nat), rule('on-prerouting', dport(444), to)],
    'ok',
    /nothing/,
  ],
];
for (const [what, nftables, state, says] of cases)
  test(what, () => {
    const [found, ...more] = firewallFindings(readRuleset(JSON.stringify({ nftables })), placesOf([RULE], [], true));
    assert.deepEqual(more, []);
    assert.equal(found?.state, state);
    assert.match(found?.text ?? '', says);
  });

test('what drops under a condition that is not judged is named, and no warning', () => {
  const nftables = [base('forward', 0), rule('on-forward', strange, drop)];
  const found = firewallFindings(readRuleset(JSON.stringify({ nftables })), placesOf([RULE], [], true));
  assert.deepEqual(
    found.map(({ state }) => state),
    ['ok', 'ok'],
  );
  assert.match(found[1]?.text ?? '', /inet fw on-forward/);
});

test('without rules any rule may come; without the kernel engine nothing is passed on; loopback is not either', () => {
  const about = (networks: string[], mayLead: boolean): string =>
    firewallFindings(
      readRuleset(JSON.stringify({ nftables: [base('forward', 0, 'drop')] })),
      placesOf([], networks, mayLead),
    )
      .map(({ text }) => text)
      .join();
  assert.match(about(['192.0.2.0/24'], true), /drops what the kernel engine passes on/);
  assert.match(about(['192.0.2.0/24'], false), /nothing else/);
  assert.match(about(['127.44.0.0/16'], true), /nothing else/);
});

test('what to change is a command that lets in what is dropped', () => {
  const fix = (nftables: Json[]): string | undefined =>
    firewallFindings(readRuleset(JSON.stringify({ nftables })), placesOf([RULE], [], true))[0]?.fix;
  const marked = "nft 'insert rule inet fw on-forward ct mark & 0xe0000000 == 0xe0000000 accept'";
  assert.equal(fix([base('forward', 0, 'drop')]), marked);
  const named = "nft 'insert rule inet fw on-input ip daddr 192.0.2.1 tcp dport { 443 } accept'";
  assert.equal(fix([base('input', 0, 'drop')]), named);
});

test('a text that is no ruleset is none', () => {
  for (const text of ['', 'x', '{}', '[]', '{"nftables":3}', '{"nftables":[1,{"chain":2},{"rule":{"expr":[{}]}}]}'])
    assert.equal(readRuleset(text).size, 0);
});
