import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProcessFacts, processFindings } from './process.ts';

const PLAIN: ProcessFacts = {
  platform: 'linux',
  status: 'Name:\tnode\nCapEff:\t0000000000000000\n',
  limits: 'Max open files            1024                 1048576              files     \n',
  unprivilegedPortStart: '1024\n',
};
const states = (facts: Partial<ProcessFacts>) =>
  Object.fromEntries(processFindings({ ...PLAIN, ...facts }).map(({ about, state }) => [about, state]));

test('an unprivileged user: no low ports', () => {
  assert.deepEqual(states({}), { 'low ports': 'warn', 'open files': 'ok' });
});

test('capabilities are read from the effective set', () => {
  assert.equal(states({ status: 'CapEff:\t0000000000001400\n' })['low ports'], 'ok');
});

test('few descriptors are told', () => {
  assert.equal(states({ limits: 'Max open files  256  1024  files\n' })['open files'], 'warn');
});

test('another platform has one finding', () => {
  assert.deepEqual(states({ platform: 'darwin' }), { engines: 'warn' });
});
