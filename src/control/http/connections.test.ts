/** A2: how many connections there may be, who makes room, and what a body may take: each refusal counted once. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { BodyBudget } from './body-budget.ts';
import { Connections, peerOf, UnderWay } from './connections.ts';

class Fake extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;
  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }
  destroySoon(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function stage(most: number, mostPerPeer: number) {
  const closed: string[] = [];
  const connections = new Connections({ most, mostPerPeer, refused: (budget) => closed.push(budget) });
  const open = (address: string) => {
    const socket = new Fake(address);
    const full = connections.admit(socket as unknown as Socket);
    return { socket, full, connection: connections.of(socket as unknown as Socket) };
  };
  return { connections, closed, open };
}

test('one peer that has its most pushes out its own oldest, and nobody else’s', () => {
  const { connections, closed, open } = stage(100, 3);
  const other = open('127.0.0.1');
  const mine = Array.from({ length: 5 }, () => open('127.0.0.2'));
  assert.deepEqual(
    mine.map(({ socket }) => socket.destroyed),
    [true, true, false, false, false],
  );
  assert.equal(other.socket.destroyed, false);
  assert.deepEqual(closed, ['api-connections-per-peer', 'api-connections-per-peer']);
  assert.equal(connections.size, 4);
});

test('in all: those that never signed go first, then the one that was answered longest ago', () => {
  const { connections, closed, open } = stage(3, 3);
  const [a, b, c] = [open('127.0.0.1'), open('127.0.0.2'), open('127.0.0.3')];
  for (const { connection } of [a, b]) if (connection) connection.signed = true;
  if (a.connection) connections.answered(a.connection);
  const d = open('127.0.0.4');
  assert.deepEqual(
    [a, b, c].map(({ socket }) => socket.destroyed),
    [false, false, true],
  );
  if (d.connection) d.connection.signed = true;
  open('127.0.0.5');
  assert.deepEqual(
    [a, b, d].map(({ socket }) => socket.destroyed),
    [false, true, false],
  );
  assert.equal(closed.length, 2);
});

test('a whole call that is under way is never given up; what is being received is', () => {
  const { closed, open } = stage(2, 2);
  const [a, b] = [open('127.0.0.1'), open('127.0.0.1')];
  const [whole, partial] = [new UnderWay({ complete: true }), new UnderWay({ complete: false })];
  a.connection?.underWay.add(whole);
  b.connection?.underWay.add(whole).add(partial);
  assert.equal(open('127.0.0.1').full, 'api-connections-per-peer');
  assert.equal(open('127.0.0.2').full, 'api-connections');
  assert.equal(closed.length, 0);
  let told = 0;
  partial.giveUp = () => told++;
  assert.equal(open('127.0.0.1').full, 'api-connections-per-peer');
  b.connection?.underWay.delete(whole);
  assert.equal(open('127.0.0.1').full, undefined);
  assert.deepEqual([a.socket.destroyed, b.socket.destroyed, told], [false, true, 1]);
});

test('a peer is an IPv4 address however it is written, or a /64', () => {
  assert.equal(peerOf('::ffff:127.0.0.1'), peerOf('127.0.0.1'));
  assert.notEqual(peerOf('127.0.0.1'), peerOf('127.0.0.2'));
  assert.equal(peerOf('2001:db8::1'), peerOf('2001:db8::ffff:1'));
  assert.notEqual(peerOf('2001:db8::1'), peerOf('2001:db8:0:1::1'));
});

function budget(most: number) {
  let now = 0;
  let refused = 0;
  const evicted: string[] = [];
  const bodies = new BodyBudget(most, { monotonic: () => now }, () => refused++);
  return {
    bodies,
    evicted,
    open: (name: string, length?: number) => bodies.open(length, () => evicted.push(name)),
    pass: (ms: number) => (now += ms),
    refused: () => refused,
  };
}

test('the slowest body makes room for the others, and is counted once', () => {
  const { bodies, evicted, open, pass, refused } = budget(100_000);
  const slow = open('slow', 60_000);
  assert.ok(slow.add(new Uint8Array(60_000 - 1)));
  pass(60_000);
  const quick = open('quick', 90_000);
  assert.ok(quick.add(new Uint8Array(90_000)));
  assert.deepEqual(evicted, ['slow']);
  assert.equal(slow.add(new Uint8Array(1)), false);
  assert.equal(quick.whole().length, 90_000);
  assert.equal(bodies.used, 90_000);
  // What has come whole is not given up; a newcomer that does not fit is.
  assert.equal(open('late', 20_000).add(new Uint8Array(20_000)), false);
  assert.equal(refused(), 2);
  quick.release();
  quick.release();
  slow.release();
  assert.equal(bodies.used, 0);
});

test('of bodies that have just begun the biggest goes', () => {
  const { evicted, open } = budget(100_000);
  open('big', 80_000).add(new Uint8Array(80_000));
  open('small', 10_000).add(new Uint8Array(10_000));
  assert.ok(open('new', 30_000).add(new Uint8Array(30_000)));
  assert.deepEqual(evicted, ['big']);
});

test('a body in chunks of one byte takes blocks, and reads as it came', () => {
  const { bodies, open } = budget(1_000_000);
  const share = open('bits');
  const sent = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i % 251));
  for (const byte of sent) assert.ok(share.add(Uint8Array.of(byte)));
  assert.ok(bodies.used >= 20_000 && bodies.used < 80_000, `${bodies.used}`);
  assert.ok(sent.equals(share.whole()));
});
