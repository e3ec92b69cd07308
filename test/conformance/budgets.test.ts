/**
 * What one call may cost (A1, A3, A9, A15): each budget of the pipeline is hit, its counter rises by exactly that, and what
 * comes back or into the log of a stranger's text is short and harmless.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawRequest } from '../../src/api/call.ts';
import { BODY_LIMIT } from '../../src/api/steps/parse.ts';
import { type BudgetName, BUDGETS } from '../../src/config/budgets.ts';
import { type Desk, openDesk, type Reply, ROOT, T0 } from './desk.ts';
import { tc3, v1 } from './sign.ts';
import { Echo } from './toys.ts';

const open = (): Promise<Desk> => openDesk({ actions: { Echo } });
const how = { timestamp: T0 };
const call = (payload: unknown): RawRequest => tc3(ROOT, 'Echo', payload, how);

async function send(desk: Desk, raw: RawRequest): Promise<Reply> {
  return (JSON.parse((await desk.send(raw)).body) as { Response: Reply }).Response;
}

function counted(desk: Desk, budget: BudgetName): number {
  return Number(
    new RegExp(`budget_refusals_total\\{budget="${budget}"\\} (\\d+)`).exec(desk.metrics.render())?.[1] ?? 0,
  );
}

const list = (elements: number): string => `{"Filters":[${'0,'.repeat(elements - 2)}0]}`;
const deep = (levels: number): string => `{"Filters":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
const sized = (bytes: number): string => `{"ZoneId":"${'z'.repeat(bytes - 13)}"}`;
const form = (parameters: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: parameters - 6 }, (_, i) => [`Filters.${i}.Name`, 'x']));

/** Just within, and just beyond. */
const EDGES: readonly (readonly [BudgetName, code: string, within: RawRequest, beyond: RawRequest])[] = [
  ['json-values', 'RequestSizeLimitExceeded', call(list(20_000)), call(list(20_001))],
  ['json-depth', 'InvalidParameter', call(deep(32)), call(deep(33))],
  ['action-body', 'RequestSizeLimitExceeded', call(sized(1024 * 1024)), call(sized(1024 * 1024 + 1))],
  [
    'form-parameters',
    'RequestSizeLimitExceeded',
    v1(ROOT, 'Echo', form(BUDGETS['form-parameters'].most), how),
    v1(ROOT, 'Echo', form(BUDGETS['form-parameters'].most + 1), how),
  ],
  [
    'signed-headers',
    'AuthFailure.InvalidAuthorization',
    tc3(ROOT, 'Echo', {}, { ...how, signedHeaders: ['content-type', 'host', ...names(30)] }),
    tc3(ROOT, 'Echo', {}, { ...how, signedHeaders: ['content-type', 'host', ...names(31)] }),
  ],
];

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `x-${i}`);
}

for (const [budget, code, within, beyond] of EDGES) {
  test(`${budget}: ${BUDGETS[budget].most} ${BUDGETS[budget].unit}, and each refusal beyond is counted`, async () => {
    await using desk = await open();
    await send(desk, within);
    assert.equal(counted(desk, budget), 0);
    for (const times of [1, 2, 3]) {
      assert.equal((await send(desk, beyond)).Error?.Code, code);
      assert.equal(counted(desk, budget), times);
    }
  });
}

test('brackets, commas and quotes within texts count for nothing', async () => {
  await using desk = await open();
  const ZoneId = `${'['.repeat(1000)}${','.repeat(60_000)}\\"{`;
  assert.equal((await send(desk, call({ ZoneId }))).Error, undefined);
});

test('A2: what needs no body is refused without one, the rest may send it', async () => {
  await using desk = await open();
  const head = (raw: RawRequest): RawRequest => ({ ...raw, body: new Uint8Array(), bodyLength: 5_000_000 });
  const foreseen = async (raw: RawRequest): Promise<string | undefined> => {
    const reply = await desk.foresee(head(raw));
    return reply && (JSON.parse(reply.body) as { Response: Reply }).Response.Error?.Code;
  };
  const stranger = { secretId: 'AKIDOTHER', secretKey: 'SK' };
  assert.equal(await foreseen(call({})), undefined);
  // Of a signature over a body nothing is known before it is there.
  assert.equal(await foreseen(tc3({ ...ROOT, secretKey: 'WRONG' }, 'Echo', {}, how)), undefined);
  assert.equal(await foreseen(tc3(stranger, 'Echo', {}, how)), 'AuthFailure.SecretIdNotFound');
  assert.equal(await foreseen(tc3(ROOT, 'Echo', {}, { timestamp: T0 - 301 })), 'AuthFailure.SignatureExpire');
  const bearer = { authorization: 'Bearer x' };
  assert.equal(await foreseen(tc3(ROOT, 'Echo', {}, { ...how, headers: bearer })), 'AuthFailure.InvalidAuthorization');
  assert.equal(await foreseen({ ...call({}), method: 'PUT' }), 'UnsupportedProtocol');
  const long = { ...call({}), body: new Uint8Array(), bodyLength: BODY_LIMIT + 1 };
  assert.equal((await send(desk, long)).Error?.Code, 'RequestSizeLimitExceeded');
});

test('A9: a stranger’s text comes back short, and is one value of one log line', async () => {
  await using desk = await open();
  const huge = 'z'.repeat(900_000);
  const forged = 'a\n2026-01-01 INFO  all is well \u001b[2J\u009b\u202e';
  for (const text of [huge, forged.repeat(9)]) {
    for (const [action, payload] of [
      ['Echo', { ZoneId: 'z', [text]: 1 }],
      ['DescribeL4Proxy', { ZoneId: text }],
      ['ModifyL4ProxyStatus', { ZoneId: text, ProxyId: text, Status: 'offline' }],
      ['DescribeZones', { Filters: [{ Name: text, Values: ['x'] }] }],
      [text.slice(0, 60_000), {}],
    ] as const) {
      const { Error: error, RequestId } = await desk.call(action.replace(/[^\x20-\x7e]/g, '?'), payload);
      assert.ok((error?.Message.length ?? 0) < 600, `${error?.Code}: ${error?.Message.length}`);
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(error?.Message ?? '', /z{201}|[\u0000-\u001f\u007f-\u009f\u202e]/);
      const line = desk.log.find((line) => line.includes(RequestId)) ?? '';
      assert.ok(line.length < 1_000);
      desk.advance(1000);
    }
  }
});

test('A15: 10,000 refusals in a second are a few lines and a sum; a signed one is not hidden by them', async (t) => {
  await using desk = await open();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const stranger = tc3({ secretId: 'AKIDOTHER', secretKey: 'SK' }, 'Echo', {}, how);
  for (let n = 0; n < 10_000; n++) await desk.send(stranger);
  assert.equal(desk.log.filter((line) => line.includes('SecretIdNotFound')).length, 20);
  assert.equal(counted(desk, 'refusal-log-lines'), 9_980);
  const { RequestId } = await desk.call('Echo', {});
  assert.ok(desk.log.some((line) => line.includes(RequestId)));
  t.mock.timers.tick(1000);
  const sum = desk.log.find((line) => line.includes('no line of their own'));
  assert.match(sum ?? '', /"calls":9980,"peers":1,"codes":"AuthFailure.SecretIdNotFound 9980"/);
});
