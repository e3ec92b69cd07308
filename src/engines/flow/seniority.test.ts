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

test('a session whose client spoke again after an answer converses; one that spoke before it does not', () => {
  const order = new Seniority(4);
  order.opened(0, RULE, 0);
  order.heard(0, 1);
  order.answered(0, 2);
  assert.equal(order.victim(RULE, 502), 0);
  order.heard(0, 502);
  order.answered(0, 503);
  assert.equal(order.victim(RULE, 30_502), -1);
  assert.equal(order.victim(RULE, 30_503), 0);
});

test('whether it was ever answered, and whether its client has waited too long, is known of each', () => {
  const order = new Seniority(4);
  order.opened(0, RULE, 0);
  assert.deepEqual(
    [order.isAnswered(0), order.isForsaken(0, 9_999), order.isForsaken(0, 10_000)],
    [false, false, true],
  );
  // A client that asks on does not wait from anew.
  order.heard(0, 9_000);
  assert.deepEqual([order.isForsaken(0, 10_000), order.seenAt[0]], [true, 9_000]);
  order.answered(0, 10_000);
  assert.deepEqual([order.isAnswered(0), order.isForsaken(0, 99_000), order.seenAt[0]], [true, false, 10_000]);
  order.heard(0, 20_000);
  assert.deepEqual(
    [order.isForsaken(0, 29_999), order.isForsaken(0, 30_000), order.isAnswered(0)],
    [false, true, true],
  );
});

test('the order is kept to a tenth of a second, of brief sessions and of conversations', () => {
  for (const converse of [false, true]) {
    const order = new Seniority(4);
    const silent = converse ? 30_000 : 500;
    for (const session of [0, 1]) {
      order.opened(session, RULE, 1_000);
      order.answered(session, 1_000);
      if (converse) order.heard(session, 1_000);
      order.answered(session, 1_000);
    }
    if (converse) order.heard(0, 1_099);
    order.answered(0, 1_099);
    assert.equal(order.victim(RULE, 1_099 + silent), 0);
    order.answered(0, 1_100);
    assert.equal(order.victim(RULE, 1_100 + silent), 1);
  }
});

test('a client that asks on goes behind those that have not', () => {
  const order = new Seniority(4);
  order.opened(0, RULE, 0);
  order.opened(1, RULE, 0);
  order.heard(0, 5_000);
  assert.equal(order.victim(RULE, 15_000), 1);
});

test('a conversation that is asked and not answered is forsaken, too', () => {
  const order = new Seniority(4);
  order.opened(0, RULE, 0);
  order.answered(0, 0);
  order.heard(0, 100);
  order.answered(0, 200);
  order.heard(0, 300);
  assert.deepEqual([order.isForsaken(0, 10_299), order.isForsaken(0, 10_300)], [false, true]);
});

/** A rule without sessions of its own. */
const NEWCOMER = 3;

test('the rule that holds most gives, the first of those that hold as many, and the own one before any of them', () => {
  const order = new Seniority(16);
  order.opened(1, RULE, 0);
  order.opened(0, FLOOD, 1);
  assert.equal(order.victim(NEWCOMER, 20_000), 1);
  order.opened(2, FLOOD, 2);
  assert.equal(order.victim(NEWCOMER, 20_000), 0);
  // Session 0 is one like any other.
  assert.equal(order.victim(RULE, 20_000), 0);
  order.opened(3, NEWCOMER, 3);
  assert.equal(order.victim(4, 20_000), 0);
  order.opened(4, RULE, 4);
  assert.equal(order.victim(RULE, 20_000), 1);
});

test('a rule whose sessions end holds fewer, and none at last', () => {
  const order = new Seniority(16);
  for (const session of [0, 1, 2]) order.opened(session, FLOOD, session);
  for (const session of [3, 4]) order.opened(session, RULE, session);
  order.closed(0);
  order.closed(1);
  assert.equal(order.victim(RULE, 20_000), 3);
  for (const session of [2, 3, 4]) order.closed(session);
  assert.deepEqual([order.victim(RULE, 20_000), order.victim(FLOOD, 20_000), order.victim(4, 20_000)], [-1, -1, -1]);
  order.opened(0, NEWCOMER, 0);
  assert.equal(order.victim(RULE, 20_000), 0);
});

test("where nobody of a rule may go, no other rule's session goes for its own", () => {
  const order = new Seniority(4);
  order.opened(1, FLOOD, 0);
  order.opened(0, RULE, 19_000);
  assert.equal(order.victim(RULE, 20_000, true), -1);
});

test('session 0 has its place in the line like any other', () => {
  const order = new Seniority(4);
  order.opened(1, RULE, 0);
  order.opened(0, RULE, 1);
  order.closed(1);
  order.opened(2, RULE, 2);
  assert.equal(order.victim(RULE, 20_000), 0);
  order.closed(0);
  assert.equal(order.victim(RULE, 20_000), 2);
});

test('sixteen are looked at, and no more', () => {
  const order = new Seniority(32);
  for (let session = 0; session < 16; session++) order.opened(session, RULE, 5_000);
  order.opened(16, RULE, 0);
  order.answered(16, 99);
  assert.equal(order.victim(RULE, 5_001), -1);
  order.closed(0);
  assert.equal(order.victim(RULE, 5_001), 16);
});

test('any of them can leave the line, and the others keep their places', () => {
  for (const gone of [0, 1, 2]) {
    const order = new Seniority(4);
    for (const session of [0, 1, 2]) {
      order.opened(session, RULE, session);
      order.answered(session, session);
    }
    order.closed(gone);
    const left = [0, 1, 2].filter((session) => session !== gone);
    for (const session of left) {
      assert.equal(order.victim(RULE, 1_000), session);
      order.closed(session);
    }
    assert.equal(order.victim(RULE, 1_000), -1);
  }
});

test('a session that is opened again is new, and room for more is made with all as they were', () => {
  const order = new Seniority(1);
  order.opened(0, RULE, 0);
  order.answered(0, 0);
  order.heard(0, 100);
  order.answered(0, 100);
  order.opened(1, RULE, 200);
  order.opened(3, FLOOD, 300);
  assert.deepEqual([...order.seenAt.subarray(0, 4)], [100, 200, 0, 300]);
  assert.deepEqual([order.isAnswered(0), order.isAnswered(1), order.isAnswered(3)], [true, false, false]);
  assert.equal(order.isForsaken(1, 10_200), true);
  // The conversation is silent for long enough only at 30.1 s; the brief one of its rule may go before.
  assert.equal(order.victim(RULE, 10_200), 1);
  order.closed(1);
  assert.deepEqual([order.victim(RULE, 30_099), order.victim(RULE, 30_100)], [-1, 0]);
  order.closed(0);
  order.opened(0, RULE, 40_000);
  assert.deepEqual([order.isAnswered(0), order.victim(RULE, 40_500), order.victim(FLOOD, 40_500)], [false, -1, 3]);
});

test('a brief session goes before a conversation that was silent for longer', () => {
  for (const [talks, brief] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const order = new Seniority(4);
    order.opened(talks, RULE, 0);
    order.answered(talks, 0);
    order.heard(talks, 0);
    order.opened(brief, RULE, 1);
    order.answered(brief, 39_000);
    assert.equal(order.victim(RULE, 40_000), brief);
    order.closed(brief);
    assert.equal(order.victim(RULE, 40_000), talks);
  }
});
