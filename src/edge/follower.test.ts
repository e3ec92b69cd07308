import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/world/manual-clock.ts';
import type { LinkClient } from '../link/client.ts';
import type { VerdictsFrame } from '../link/contract.ts';
import { Replica } from '../link/replica.ts';
import { createLog } from '../observe/log.ts';
import { Follower } from './follower.ts';

type Sink = Parameters<LinkClient['follow']>[1];

function following() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = createLog({ level: 'info', format: 'text', clock, write: (line) => lines.push(line) });
  const sinks: Sink[] = [];
  const reporter = {
    isConnected: false,
    connected: () => void (reporter.isConnected = true),
    disconnected: () => void (reporter.isConnected = false),
  };
  const link: Pick<LinkClient, 'follow'> = {
    follow(_, sink, signal) {
      sinks.push(sink);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    },
  };
  const steps: string[] = [];
  const feed = { take: (step: { readonly kind: string }) => void steps.push(step.kind) };
  const others = {
    take: (frame: VerdictsFrame) => void steps.push(frame.kind),
    disconnected: () => void steps.push('gone'),
  };
  const follower = new Follower({ link, join: 'socket', replica: new Replica(), reporter, feed, others, clock, log });
  return { clock, lines, sinks, reporter, steps, follower };
}

test('a control that is not there yet is no news for five seconds, then once; one that goes is, each time', async () => {
  const { clock, lines, sinks, reporter, follower } = following();
  follower.start();
  const [sink] = sinks;
  assert.ok(sink);
  for (let n = 0; n < 10; n++) {
    sink.disconnected('ENOENT', false);
    await clock.advance(1_000);
  }
  assert.equal(lines.filter((line) => /control cannot be reached; trying on/.test(line)).length, 1);
  sink.connected();
  assert.ok(reporter.isConnected);
  sink.disconnected('closed', false);
  assert.equal(reporter.isConnected, false);
  assert.match(lines.at(-1) ?? '', /the link to control is gone; serving on/);
});

test('steps go to the plan; after stop it can start again', async () => {
  const { sinks, steps, follower } = following();
  await follower.stop();
  follower.start();
  sinks[0]?.step({ kind: 'none' });
  await follower.stop();
  await follower.stop();
  follower.start();
  sinks[1]?.step({ kind: 'broken', reason: 'x' });
  sinks[1]?.verdicts?.({ kind: 'verdicts', sequence: 1, whole: true, edges: [], checks: [] });
  sinks[1]?.disconnected('closed', false);
  assert.deepEqual(steps, ['none', 'broken', 'verdicts', 'gone']);
  await follower.stop();
});
