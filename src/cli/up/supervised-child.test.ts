/** Keeping a child alive, with children that are only pretended and time that stands still until told. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { silentLog } from '../../observe/log.ts';
import { SupervisedChild } from './supervised-child.ts';

class Pretended extends EventEmitter {
  readonly pid = 1;
  connected = true;
  exitCode: number | null = null;
  signalCode: NodeJS.Signals | null = null;
  readonly told: string[] = [];

  send({ kind }: { kind: string }): boolean {
    this.told.push(kind);
    return true;
  }
  kill(signal: NodeJS.Signals): boolean {
    return this.end(null, signal);
  }
  end(code: number | null, signal: NodeJS.Signals | null = null): boolean {
    this.connected = false;
    this.exitCode = code;
    this.signalCode = signal;
    return this.emit('close', code, signal);
  }
  says(message: object): void {
    this.emit('message', message);
  }
}

function supervised(first = new Pretended(), goesBack?: () => boolean, isThere = () => true) {
  const clock = new ManualClock();
  const children: Pretended[] = [first];
  const heard: string[] = [];
  const kept = new SupervisedChild<{ port: number }>({
    role: 'control',
    first: first as unknown as ChildProcess,
    spawn(last) {
      heard.push(`again ${last?.port}`);
      if (!isThere()) return undefined;
      const child = new Pretended();
      children.push(child);
      return child as unknown as ChildProcess;
    },
    clock,
    log: silentLog,
    ready: ({ port }) => heard.push(`ready ${port}`),
    refused: (message) => heard.push(message),
    ...(goesBack && { goesBack }),
  });
  return { clock, children, heard, kept, last: () => children.at(-1) as Pretended };
}

test('a child is told to begin, and its readiness is passed on', () => {
  const { heard, last } = supervised();
  assert.deepEqual(last().told, ['begin']);
  last().says({ kind: 'ready', facts: { port: 7 } });
  assert.deepEqual(heard, ['ready 7']);
});

test('one that dies is started again after 50 ms with what it had told, then ever later up to a second', async () => {
  const { clock, children, heard, last } = supervised();
  last().says({ kind: 'ready', facts: { port: 7 } });
  const waits: number[] = [];
  for (let death = 0; death < 7; death++) {
    const before = children.length;
    last().end(null, 'SIGKILL');
    let waited = 0;
    for (; children.length === before; waited += 10) await clock.advance(10);
    waits.push(waited);
  }
  assert.deepEqual(waits, [50, 100, 200, 400, 800, 1_000, 1_000]);
  assert.equal(heard.at(-1), 'again 7');
  assert.deepEqual(last().told, ['begin']);
});

test('one that can not be started now is asked for again, ever later, until it can', async () => {
  let tries = 0;
  const { clock, children, heard, last } = supervised(undefined, undefined, () => ++tries > 2);
  last().end(1);
  await clock.advance(50 + 100);
  assert.equal(children.length, 1);
  await clock.advance(200);
  assert.equal(children.length, 2);
  assert.deepEqual(heard, ['again undefined', 'again undefined', 'again undefined']);
  assert.deepEqual(last().told, ['begin']);
});

test('being ready makes the next restart a quick one', async () => {
  const { clock, children, last } = supervised();
  last().end(1);
  await clock.advance(50);
  last().end(1);
  await clock.advance(100);
  last().says({ kind: 'ready', facts: { port: 7 } });
  last().end(1);
  await clock.advance(50);
  assert.equal(children.length, 4);
});

test('a first child that refuses is not started again', async () => {
  const { clock, children, heard, last } = supervised();
  last().says({ kind: 'refused', message: 'the port is taken' });
  last().end(2);
  await clock.advance(10_000);
  assert.deepEqual(heard, ['the port is taken']);
  assert.equal(children.length, 1);
});

test('one that was ready before and refuses now is tried again: what is in the way may go', async () => {
  const { clock, children, last } = supervised();
  last().says({ kind: 'ready', facts: { port: 7 } });
  last().end(null, 'SIGKILL');
  await clock.advance(50);
  last().says({ kind: 'refused', message: 'the port is taken' });
  last().end(2);
  await clock.advance(100);
  assert.equal(children.length, 3);
});

test('a child that died before anybody looked is started again', async () => {
  const first = new Pretended();
  first.end(1);
  const { clock, children } = supervised(first);
  await clock.advance(50);
  assert.equal(children.length, 2);
});

test('stop asks, waits for the end, and nothing is started any more', async () => {
  const { clock, children, kept, last } = supervised();
  const stopped = kept.stop();
  assert.deepEqual(last().told, ['begin', 'stop']);
  last().end(0);
  await stopped;
  await clock.advance(10_000);
  assert.equal(children.length, 1);
});

test('stop between a death and the restart ends it', async () => {
  const { clock, children, kept, last } = supervised();
  last().end(1);
  await kept.stop();
  await clock.advance(10_000);
  assert.equal(children.length, 1);
});

test('kill ends a child that does not listen', async () => {
  const { kept, last } = supervised();
  const stopped = kept.stop();
  kept.kill();
  await stopped;
  assert.equal(last().signalCode, 'SIGKILL');
});

test('one that dies before it took over is not started again, as long as the one before it is there', async () => {
  let isThere = true;
  const { clock, children, heard } = supervised(new Pretended(), () => isThere);
  children[0]?.end(1);
  await clock.advance(10_000);
  assert.deepEqual(heard, ['control ended before it could take over (exit code 1).']);
  isThere = false;
  const alone = supervised(new Pretended(), () => isThere);
  alone.last().says({ kind: 'ready', facts: { port: 7 } });
  const begun = alone.kept.begin();
  alone.last().end(null, 'SIGKILL');
  await alone.clock.advance(50);
  // The next one has not heard the word that its predecessor got.
  alone.last().says({ kind: 'ready', facts: { port: 7 } });
  assert.deepEqual(alone.last().told, ['begin', 'commit']);
  alone.last().says({ kind: 'committed' });
  await begun;
});
