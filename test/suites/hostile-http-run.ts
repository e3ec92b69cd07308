/**
 * Sends hostile HTTP to a control of its own and holds it to its word: no crash, no error of ours, no answer that costs more
 * than 50 ms of its CPU, no memory that stays. The CPU is what the scheduler counted for the process, so a busy machine
 * changes nothing; a batch that took more is sent again in halves until one call is left, which then has three tries.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { CATALOGUE } from '../../src/faults/catalogue.ts';
import { type LoneControl, loneControl } from '../world/lone-control.ts';
import { dice, type Hostile, hostileCalls } from './hostile-http.ts';

const BATCH = 20;
/** Batches before CPU is measured, and from one word about progress to the next. */
const WARM = 50;
const PROGRESS = 2_500;
const MOST_MS = 50;
const MOST_GROWN = 64 * 1024 * 1024;
const TRIES = 3;
/** limit: a batch is answered in milliseconds; what hangs is a fault. */
const ANSWER_WITHIN_MS = 60_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a call can be refused with before its handler runs, and the commonest of those. Not ServiceUnavailable: see hogs. */
const REFUSALS = [
  'AuthFailure.InvalidAuthorization',
  'AuthFailure.InvalidSecretId',
  'AuthFailure.SecretIdNotFound',
  'AuthFailure.SignatureExpire',
  'AuthFailure.SignatureFailure',
  'AuthFailure.TokenFailure',
  'InvalidAction',
  'InvalidParameter',
  'InvalidParameterValue',
  'InvalidRequest',
  'MissingParameter',
  'NoSuchVersion',
  'RequestLimitExceeded',
  'RequestSizeLimitExceeded',
  'ResourceNotFound',
  'UnauthorizedOperation.CamUnauthorized',
  'UnknownParameter',
  'UnsupportedOperation',
  'UnsupportedProtocol',
] as const;

interface Outcome {
  readonly calls: number;
  readonly signed: number;
  readonly codes: ReadonlyMap<string, number>;
  /** Milliseconds of CPU of the batch that took most, bytes that memory grew by from the start, and batches that were bisected. */
  readonly longest: number;
  readonly grown: number;
  readonly bisected: number;
}

/** `progress` is told now and then how far it has come. */
export async function hostileHttp(calls: number, seed: number, progress?: (text: string) => void): Promise<Outcome> {
  await using control = await loneControl({ settings: ['--log', 'error'] });
  const made = await control.client.call<{ SecretId: string; SecretKey: string }>('EdgeFourCreateKey', {
    User: 'powerless',
    Policies: [],
  });
  const who = {
    root: control,
    powerless: { secretId: made.SecretId, secretKey: made.SecretKey },
    zone: control.zoneId,
    host: new URL(control.api).host,
  };
  const roll = dice(seed);
  const source = hostileCalls(who, roll);
  const codes = new Map<string, number>();
  const count = (found: readonly string[]): void => {
    for (const code of found) codes.set(code, (codes.get(code) ?? 0) + 1);
  };
  let batches = 0;
  function batch(): Hostile[] {
    if (batches++ % 30 === 0) return [source.crowd()];
    const list = Array.from({ length: BATCH - 1 }, () => source.next());
    return [...list, source.end()];
  }
  const before = control.rss();
  // Code is warm before time is measured.
  for (let n = 0; n < WARM; n++) await send(control, batch());
  let [sent, signed, longest, grown, bisected] = [0, 0, 0, 0, 0];
  let coming = batch();
  while (sent < calls) {
    const list = coming;
    const start = control.cpuMs();
    const answered = send(control, list);
    // The next one is made while control works.
    coming = batch();
    count(await answered);
    const took = control.cpuMs() - start;
    longest = Math.max(longest, took);
    sent += list.length;
    signed += list.filter((one) => one.signed).length;
    if (took > MOST_MS) {
      bisected++;
      await bisect(control, list);
    }
    if (batches % 25 === 0) grown = Math.max(grown, control.rss() - before);
    if (batches % PROGRESS === 0) progress?.(told({ calls: sent, signed, codes, longest, grown, bisected }));
  }
  assert.ok(control.isAlive());
  return { calls: sent, signed, codes, longest, grown, bisected };
}

async function bisect(control: LoneControl, list: readonly Hostile[]): Promise<void> {
  let least = Infinity;
  for (let tries = 0; tries < (list.length === 1 ? TRIES : 1); tries++) {
    const start = control.cpuMs();
    await send(control, list);
    least = Math.min(least, control.cpuMs() - start);
  }
  if (least <= MOST_MS) return;
  assert.ok(list.length > 1, `"${list[0]?.kind}" takes ${least.toFixed(1)} ms of CPU`);
  const half = list.length >> 1;
  await bisect(control, list.slice(0, half));
  await bisect(control, list.slice(half));
}

/** One connection for all; resolves with the codes when control has closed it. */
async function send(control: LoneControl, list: readonly Hostile[]): Promise<string[]> {
  const socket = connect(Number(new URL(control.api).port), '127.0.0.1');
  const parts: Buffer[] = [];
  const closed = new Promise<void>((resolve) => {
    socket.once('close', resolve);
  });
  socket.on('data', (part: Buffer) => parts.push(part));
  // A connection that was told to go away may be reset behind the answer.
  socket.on('error', () => {});
  socket.end(Buffer.concat(list.map(({ bytes }) => bytes)));
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    socket.destroy();
  }, ANSWER_WITHIN_MS);
  await closed;
  clearTimeout(late);
  const names = list.map(({ kind }) => kind).join('; ');
  const text = Buffer.concat(parts).toString('latin1');
  assert.ok(control.isAlive(), `control ended: ${names}`);
  assert.ok(!isLate, `not closed in ${ANSWER_WITHIN_MS} ms, ${text.length} bytes of answers to: ${names}`);
  const codes = readCodes(text, list);
  const whole = list.filter(({ last }) => !last).length;
  assert.ok(codes.length >= whole, `${codes.length} answers to ${whole} calls: ${names}`);
  return codes;
}

function readCodes(text: string, list: readonly Hostile[]): string[] {
  const codes: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\r\n\r\n', at);
    assert.ok(end >= 0, `an answer is cut off: ${text.slice(at, at + 200)}`);
    const head = text.slice(at, end);
    // Changed bytes may ask for a page, or to be told to go on.
    assert.match(head, /^HTTP\/1\.1 (200|405|302|100) /, head.slice(0, 200));
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const body = Buffer.from(text.slice(end + 4, end + 4 + length), 'latin1').toString();
    at = end + 4 + length;
    if (!body.startsWith('{')) continue;
    const { Response } = JSON.parse(body) as {
      Response: { Error?: { Code: string; Message: string }; RequestId: string };
    };
    assert.match(Response.RequestId, UUID);
    const code = Response.Error?.Code ?? 'OK';
    assert.ok(code === 'OK' || Object.hasOwn(CATALOGUE, code), code);
    assert.notEqual(code, 'InternalError', list.map(({ kind }) => kind).join('; '));
    assert.ok((Response.Error?.Message.length ?? 0) < 600);
    codes.push(code);
  }
  return codes;
}

/** The promise, with the times that each refusal is reached scaled to the number of calls. */
export function keepsItsWord({ calls, signed, codes, grown }: Outcome): void {
  assert.ok(signed >= calls * 0.3, `${signed} of ${calls} were signed`);
  const few = REFUSALS.filter((code) => (codes.get(code) ?? 0) < calls / 1000);
  assert.deepEqual(few, [], JSON.stringify(Object.fromEntries(codes)));
  assert.ok(grown <= MOST_GROWN, `it grew by ${Math.round(grown / 1024 / 1024)} MB`);
}

export function told({ calls, signed, codes, longest, grown, bisected }: Outcome): string {
  const list = [...codes].sort(([, a], [, b]) => b - a).map(([code, count]) => `${code} ${count}`);
  const memory = `RSS at most +${Math.round(grown / 1024 / 1024)} MB`;
  return `${calls} calls, ${signed} signed; longest batch ${longest.toFixed(1)} ms, ${bisected} bisected; ${memory}; ${list.join(', ')}`;
}
