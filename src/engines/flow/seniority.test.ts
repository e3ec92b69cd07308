import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Seniority } from './seniority.ts';

const RULE = 1;
const FLOOD = 2;

test('nobody has to go at once: one that waits for its answer, one that just had it', () => {
  const order = new Seniority(4);
  order.opened(0, RULE, 0);
  order.opened(1, RULE, 0);
  order.answered(1, 100);
  assert.equal(order.victim(RULE, 599), -1);
  assert.equal(order.victim(RULE, 600), 1);
});

test('an answer that never came is waited for ten seconds', () => {
  const order = new Seniority(4);
  order.opened(0, RULE, 0);
  assert.equal(order.victim(RULE, 9999), -1);
  assert.equal(order.victim(RULE, 10_000), 0);
});

test('the one that was silent longest goes first', () => {
  const order = new Seniority(4);
  for (const session of [0, 1, 2]) {
    order.opened(session, RULE, session * 1000);
    order.answered(session, session * 1000);
  }
  order.answered(0, 5000);
  assert.equal(order.victim(RULE, 6000), 1);
  order.closed(1);
  assert.equal(order.victim(RULE, 6000), 2);
  order.closed(2);
  assert.equal(order.victim(RULE, 6000), 0);
  order.closed(0);
  assert.equal(order.victim(RULE, 6000), -1);
});

test('a conversation outlasts any number of newcomers, until it is silent for long', () => {
  const order = new Seniority(2);
  order.opened(0, RULE, 0);
  order.answered(0, 10);
  order.heard(0, 20);
  order.answered(0, 30);
  for (let flood = 0; flood < 1000; flood++) {
    const now = 1000 + flood;
    const session = 1 + (flood % 500);
    const victim = flood < 500 ? session : order.victim(FLOOD, now);
    assert.equal(victim, session);
    if (flood >= 500) order.closed(victim);
    order.opened(session, FLOOD, now);
    order.answered(session, now);
  }
  // What is left of the flood still waits its half second; the conversation has been silent for thirty.
  const now = 30_030;
  for (let session = 1; session <= 500; session++) order.answered(session, now);
  assert.equal(order.victim(RULE, now - 1), -1);
  assert.equal(order.victim(RULE, now), 0);
});

test('the rule that holds most gives, unless only its own is asked for', () => {
  const order = new Seniority(16);
  order.opened(0, RULE, 0);
  order.answered(0, 0);
  for (let session = 1; session < 8; session++) {
    order.opened(session, FLOOD, 10 + session);
    order.answered(session, 10 + session);
  }
  assert.equal(order.victim(RULE, 5000), 1);
  assert.equal(order.victim(3, 5000), 1);
  assert.equal(order.victim(RULE, 5000, true), 0);
  assert.equal(order.victim(3, 5000, true), -1);
  // The one that held most has nobody to give: then the newcomer's own rule.
  for (let session = 1; session < 8; session++) order.answered(session, 5000);
  assert.equal(order.victim(RULE, 5001), 0);
});

test('one that still waits does not hide those behind it', () => {
  const order = new Seniority(4);
  order.opened(0, RULE, 0);
  order.opened(1, RULE, 1);
  order.answered(1, 1);
  assert.equal(order.victim(RULE, 1000), 1);
});
