/**
 * Hostile API calls (T37): raw noise, broken signatures, and rightly signed calls whose parameters are anything at all,
 * made from each action's own fields so that they get past the walker and into the handlers. api-fuzz.test.ts runs a
 * few thousand, test/fuzz/api.fuzz.ts a million.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AnyAction } from '../../src/api/action.ts';
import { ACTIONS } from '../../src/api/actions/index.ts';
import type { RawRequest } from '../../src/api/call.ts';
import { CATALOGUE } from '../../src/faults/catalogue.ts';
import type { Fields, Shape } from '../../src/shape/shape.ts';
import { keys } from '../../src/store/records.ts';
import { newPlan, newSite, newZone, ZONE } from '../world/actions.ts';
import { ACCOUNT, type Desk, type DeskOptions, openDesk, type Reply, ROOT, T0 } from './desk.ts';
import { flatten, tc3, v1 } from './sign.ts';

/** These change what the others answer: faults on demand, and forgetting the world. */
const LEFT_OUT = new Set(['EdgeFourAddFault', 'EdgeFourReset', 'EdgeFourRevokeKey']);
const CALLABLE = Object.entries<AnyAction>(ACTIONS).filter(([name]) => !LEFT_OUT.has(name));
const PROXY = 'fuzzed';
const PLAN = 'edgeone-000000000001';

/** A desk with a zone, a site and one instance, so that calls find something to act on. */
export async function openHostileDesk(options: DeskOptions = {}): Promise<Desk> {
  const desk = await openDesk(options);
  const plan = { ...newPlan(PLAN), account: ACCOUNT, expiresAt: 8_640_000_000_000 };
  const changes = [
    { key: keys.plan(plan.id), value: plan },
    { key: keys.zone(ZONE), value: { ...newZone(ZONE, plan.id), account: ACCOUNT } },
    { key: keys.site('here'), value: newSite('here', ['127.44.0.0/24', 'fd00::/64']) },
  ];
  await desk.store.commit(changes, []);
  const created = await desk.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName: PROXY, Area: 'overseas' });
  assert.equal(created.Error, undefined);
  return desk;
}

/** Whatever comes in: HTTP 200, one JSON envelope, a known code, and never an error of our own. */
export async function answers(desk: Desk, raw: RawRequest): Promise<string> {
  const reply = await desk.send(raw);
  assert.equal(reply.status, 200);
  for (const value of Object.values(reply.headers)) assert.match(value, /^[\x20-\x7e]*$/);
  const { Response } = JSON.parse(reply.body) as { Response: Reply };
  const code = Response.Error?.Code ?? 'OK';
  assert.ok(code === 'OK' || Object.hasOwn(CATALOGUE, code), code);
  const why = desk.log.findLast((line) => line.includes(Response.RequestId));
  assert.notEqual(code, 'InternalError', why ?? code);
  return code;
}

/** What exists, by the member that names it, so that most calls concern something real. */
async function known(desk: Desk): Promise<Readonly<Record<string, string>>> {
  const { L4Proxies } = await desk.call('DescribeL4Proxy', { ZoneId: ZONE });
  const [proxy] = L4Proxies as { ProxyId: string }[];
  return { ZoneId: ZONE, ProxyId: proxy?.ProxyId ?? '', ProxyName: PROXY, PlanId: PLAN };
}
const TEXTS = [ZONE, PROXY, '127.0.0.1', '80', '81-85', 'on', 'off', 'online', 'offline', ''];

const noise = fc.record({
  method: fc.oneof(fc.constantFrom('GET', 'POST', 'PUT', 'get', ''), fc.string()),
  url: fc.oneof(
    fc.string(),
    fc.webPath().map((path) => `/?${path}`),
    fc.constant('/'),
  ),
  headers: fc.dictionary(
    fc.oneof(
      fc.constantFrom('authorization', 'host', 'content-type', 'x-tc-action', 'x-tc-timestamp', 'x-tc-version'),
      fc.string(),
    ),
    fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.string()), fc.constantFrom(String(T0), '2022-09-01')),
  ),
  body: fc.uint8Array({ maxLength: 200 }),
  peer: fc.constant('127.0.0.1'),
});

const loose = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(-1, 0, 1e308, 2 ** 53, 'x'.repeat(5000), '__proto__', '\u0000', '站点'),
);

/** fast-check makes texts for any pattern but those that look around. */
function matching(pattern: RegExp | undefined): fc.Arbitrary<string> {
  return pattern && !/\(\?[=!<]/.test(pattern.source) ? fc.stringMatching(pattern) : fc.string();
}

function valueOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'optional':
    case 'nullable':
      return valueOf(shape.of);
    case 'string':
      return fc.oneof(fc.constantFrom(...TEXTS), matching(shape.pattern));
    case 'enum':
      return fc.constantFrom(...shape.values);
    case 'integer':
      return fc.oneof(
        fc.integer({
          min: Math.max(shape.min ?? -10, shape.unsigned ? 0 : -10),
          max: Math.min(shape.max ?? 5000, 5000),
        }),
        fc.maxSafeInteger(),
      );
    case 'float':
      return fc.double();
    case 'boolean':
      return fc.boolean();
    case 'list':
      return fc.array(valueOf(shape.item), { maxLength: 4 });
    case 'object':
      return membersOf(shape.fields, {});
  }
}

/** Mostly of the right type; now and then missing, or anything. Most often it is what the example says. */
function membersOf(fields: Fields, example: object): fc.Arbitrary<Record<string, unknown>> {
  const given = new Map<string, unknown>(Object.entries(example));
  const model = Object.entries(fields).map(([name, shape]) => {
    const choices = [
      { weight: 20, arbitrary: valueOf(shape) },
      { weight: shape.kind === 'optional' ? 20 : 0, arbitrary: fc.constant(undefined) },
      { weight: given.has(name) ? 60 : 0, arbitrary: fc.constant(given.get(name)) },
      { weight: 1, arbitrary: loose },
    ];
    return [name, fc.oneof(...choices.filter(({ weight }) => weight > 0))] as const;
  });
  return fc.record(Object.fromEntries(model));
}

/** Calls with a good signature, by every method. */
export async function signedCalls(desk: Desk): Promise<fc.Arbitrary<RawRequest>> {
  const real = await known(desk);
  const calls = CALLABLE.map(([name, { request, example, service }]) => {
    const how = { timestamp: T0, version: service === 'tag' ? '2018-08-13' : '2022-09-01' };
    const payload = membersOf(request, { ...(example.request as object), ...real });
    return fc.tuple(payload, fc.nat(9)).map(([payload, dice]) => {
      if (dice < 7) return tc3(ROOT, name, payload, how);
      if (dice === 7) return v1(ROOT, name, flatten(payload), how);
      const query = new URLSearchParams(flatten(payload)).toString();
      return tc3(ROOT, name, query, { ...how, method: 'GET' });
    });
  });
  const text = fc.tuple(fc.constantFrom(...CALLABLE), fc.string()).map(([[name], body]) => {
    return tc3(ROOT, name, body, { timestamp: T0 });
  });
  return fc.oneof({ weight: 9, arbitrary: fc.oneof(...calls) }, { weight: 1, arbitrary: text });
}

/** Signed calls with one thing changed afterwards. */
function broken(calls: fc.Arbitrary<RawRequest>): fc.Arbitrary<RawRequest> {
  const header = fc.constantFrom(
    'authorization',
    'host',
    'content-type',
    'x-tc-timestamp',
    'x-tc-version',
    'x-tc-token',
  );
  return fc
    .tuple(calls, fc.nat(2), header, fc.nat(400), fc.string({ maxLength: 3 }))
    .map(([raw, what, name, at, put]) => {
      const splice = (text: string): string => text.slice(0, at) + put + text.slice(at + 1);
      if (what === 0) return { ...raw, body: Buffer.from(splice(Buffer.from(raw.body).toString())) };
      if (what === 1) return { ...raw, url: splice(raw.url) };
      return { ...raw, headers: { ...raw.headers, [name]: splice(String(raw.headers[name] ?? '')) } };
    });
}

export async function hostileCalls(desk: Desk): Promise<fc.Arbitrary<RawRequest>> {
  const signed = await signedCalls(desk);
  return fc.oneof(
    { weight: 1, arbitrary: noise },
    { weight: 2, arbitrary: broken(signed) },
    { weight: 7, arbitrary: signed },
  );
}
