/** The edge's end of the link against a control that misbehaves: silence, nonsense, refusals, a sink that throws. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { seededRng } from '../../src/lib/rng.ts';
import { createLinkClient } from '../../src/link/client.ts';
import type { Frame } from '../../src/link/contract.ts';
import { encodeFrame } from '../../src/link/frames.ts';
import { Replica, type Step } from '../../src/link/replica.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { ManualClock } from '../world/manual-clock.ts';

const HELLO: Frame = { kind: 'hello', link: 1, version: '1', world: 'w' };
const snapshot = (revision: number): Frame => ({ kind: 'snapshot', revision, records: [], done: true });
const batch = (revision: number): Frame => ({ kind: 'batch', revision, changes: [] });

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** Streams `frames` and keeps the stream open. */
const says =
  (...frames: Frame[]): Answer =>
  (response) =>
    response.write(frames.map((frame) => encodeFrame(frame)).join(''));

/** A control that answers the n-th request with the n-th answer, the later ones with the last. */
async function against(t: TestContext, ...answers: [Answer, ...Answer[]]) {
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  const path = join(folder, 'link.sock');
  const clock = new ManualClock();
  const from: (string | null)[] = [];
  const at: number[] = [];
  const server = createServer((request, response) => {
    at.push(clock.monotonic());
    from.push(new URL(request.url ?? '', 'http://link').searchParams.get('from'));
    (answers[from.length - 1] ?? answers.at(-1))?.(response, request);
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  const replica = new Replica();
  const ending = new AbortController();
  const reasons: string[] = [];
  const steps: Step[] = [];
  const sink = {
    connected() {},
    step: (step: Step) => void steps.push(step),
    disconnected: (reason: string) => void reasons.push(reason),
  };
  const client = createLinkClient(
    { kind: 'socket', path },
    { edge: 'e', site: 's', version: '1' },
    { clock, rng: seededRng(1) },
  );
  const following = client.follow(replica, sink, ending.signal);
  t.after(async () => {
    ending.abort();
    await following;
    client.close();
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true });
  });
  /** Waits while time goes on. */
  const soon = (check: () => void) =>
    eventually(async () => {
      await clock.advance(100);
      check();
    });
  return { clock, replica, from, at, reasons, steps, sink, client, soon };
}

test('comes back from its revision after a cut', async (t) => {
  const cut: Answer = (response) => {
    response.write(encodeFrame(HELLO) + encodeFrame(snapshot(4)) + encodeFrame(batch(5)), () => response.destroy());
  };
  const { replica, from, soon } = await against(t, cut, says(HELLO, batch(6)));
  await soon(() => assert.equal(replica.revision, 6));
  assert.deepEqual(from, ['0', '5']);
});

test('asks for everything after a gap, until it has everything', async (t) => {
  const half: Answer = (response) => {
    response.write(encodeFrame(HELLO), () => response.destroy());
  };
  const all = says(HELLO, snapshot(9));
  const { replica, from, reasons, soon } = await against(t, says(HELLO, snapshot(4), batch(6)), half, half, all);
  await soon(() => assert.equal(replica.revision, 9));
  assert.deepEqual(from, ['0', '0', '0', '0']);
  assert.match(reasons[0] ?? '', /revision 6 where 5 was due/);
});

test('silence is a broken link', async (t) => {
  const { clock, replica, reasons } = await against(t, says(HELLO, snapshot(4)));
  await eventually(() => assert.equal(replica.revision, 4));
  await clock.advance(5_900);
  assert.deepEqual(reasons, []);
  await eventually(async () => {
    await clock.advance(2_000);
    assert.deepEqual(reasons[0], 'control has gone silent');
  });
});

test('two ends that never agree don’t keep each other busy', async (t) => {
  const differs = says(HELLO, snapshot(4), { kind: 'beat', revision: 4, digest: 1 });
  const { clock, at, reasons } = await against(t, differs);
  await eventually(async () => {
    await clock.advance(500);
    assert.ok(at.length >= 12);
  });
  const [before = 0, last = 0] = at.slice(-2);
  assert.ok(last - before > 5_000, at.join(' '));
  assert.match(reasons.at(-1) ?? '', /records differ/);
});

test('refusals and nonsense are tried again, and change nothing', async (t) => {
  const refused: Answer = (response) => void response.writeHead(503).end();
  const garbage: Answer = (response) => void response.write('{"kind":"batch"}\n');
  const newer = says({ ...HELLO, link: 2 });
  const { replica, reasons, soon } = await against(t, refused, garbage, newer, says(HELLO, snapshot(1)));
  await soon(() => assert.equal(replica.revision, 1));
  const told = ['control answers 503', 'a batch frame of the wrong form', 'control speaks link version 2, not 1'];
  assert.deepEqual(reasons, told);
});

test('what the sink could not take comes again, whole', async (t) => {
  const { replica, from, steps, sink, soon } = await against(
    t,
    says(HELLO, snapshot(4), batch(5)),
    says(HELLO, snapshot(5)),
  );
  const taken = sink.step;
  sink.step = (step) => {
    if (step.kind === 'changed') throw new Error('a bug');
    taken(step);
  };
  await soon(() => assert.equal(steps.length, 2));
  assert.deepEqual([from, replica.revision], [['0', '0'], 5]);
});

test('a report that nobody answers ends', async (t) => {
  const { clock, client } = await against(t, () => {});
  const posted = assert.rejects(client.post('/link/v1/ack', {}), /control does not answer/);
  await eventually(() => clock.advance(10_000));
  await posted;
});
