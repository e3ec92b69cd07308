/** The pipeline over the wire: envelope, order of checks, strictness, languages, rate, units of work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawReply, RawRequest } from '../../src/api/call.ts';
import { BODY_LIMIT, COMMON_PARAMETERS } from '../../src/api/steps/parse.ts';
import { ACTIONS } from '../../src/api/actions/index.ts';
import type { AnyAction } from '../../src/api/action.ts';
import { keys } from '../../src/store/records.ts';
import { ACCOUNT, type Desk, type DeskOptions, openDesk, type Reply, ROOT, T0 } from './desk.ts';
import { tc3, v1 } from './sign.ts';
import { Count, Echo, Fail, Lie, Undeclared } from './toys.ts';

const TOYS = { Echo, Count, Fail, Lie, Undeclared };
const open = (options: DeskOptions = {}): Promise<Desk> => openDesk({ actions: TOYS, ...options });
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const how = { timestamp: T0, language: 'en-US' };

function read(reply: RawReply): Reply {
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['Content-Type'], 'application/json');
  const envelope = JSON.parse(reply.body) as { Response: Reply };
  assert.deepEqual(Object.keys(envelope), ['Response']);
  assert.match(envelope.Response.RequestId, UUID);
  return envelope.Response;
}

const bare = (more: Partial<RawRequest> = {}): RawRequest => ({
  method: 'GET',
  url: '/',
  headers: {},
  body: new Uint8Array(),
  peer: '127.0.0.1',
  ...more,
});

test('a success has no Error, a failure nothing else; the trace id comes back', async () => {
  await using desk = await open();
  const trace = '2f6cd5ab-0c1b-4a6d-9e9a-6a3f5ddc0e55';
  const raw = tc3(ROOT, 'Echo', { ZoneId: 'zone-1' }, { ...how, headers: { 'x-tc-traceid': trace } });
  const reply = await desk.send(raw);
  assert.deepEqual(Object.keys(read(reply)), ['Request', 'RequestId']);
  assert.equal(reply.headers['X-TC-TraceId'], trace);
  const refused = await desk.send({ ...raw, headers: { ...raw.headers, 'x-tc-traceid': 'a\r\nSet-Cookie: x' } });
  assert.equal(refused.headers['X-TC-TraceId'], undefined);
  assert.deepEqual(Object.keys(await desk.call('Echo', {})), ['Error', 'RequestId']);
});

test('the first thing wrong is what the caller is told', async () => {
  await using desk = await open({ settings: { ratePerSecond: 1 } });
  const elsewhere = { effect: 'allow', action: ['teo:Echo'], resource: ['qcs::teo::uin/:zone/other'] };
  const policy = { name: 'elsewhere', document: { version: '2.0', statement: [elsewhere] } };
  await desk.store.commit([{ key: keys.policy(ACCOUNT, 'elsewhere'), value: policy }], []);
  await desk.putKey({ secretId: 'AKIDUSER', secretKey: 'SK', user: 'sam', policies: ['elsewhere'] });
  await desk.putKey({ secretId: 'AKIDNONE', secretKey: 'SK', user: 'eve' });
  const user = { secretId: 'AKIDUSER', secretKey: 'SK' };
  const powerless = { secretId: 'AKIDNONE', secretKey: 'SK' };
  const stranger = { secretId: 'AKIDOTHER', secretKey: 'SK' };
  const wrongKey = { ...ROOT, secretKey: 'WRONG' };
  const late = { ...how, timestamp: T0 - 1000 };
  const oldVersion = { ...how, version: '2016-01-01' };
  const ladder: [code: string, message: RegExp, raw: RawRequest][] = [
    ['UnsupportedProtocol', /GET or POST/, bare({ method: 'PUT' })],
    ['RequestSizeLimitExceeded', /too large/, bare({ url: `/?${'a'.repeat(33_000)}` })],
    ['RequestSizeLimitExceeded', /too large/, bare({ method: 'POST', body: new Uint8Array(1024 * 1024 + 1) })],
    [
      'RequestSizeLimitExceeded',
      /too large/,
      bare({ method: 'POST', headers: { authorization: 'x' }, body: new Uint8Array(BODY_LIMIT + 1) }),
    ],
    ['MissingParameter', /^The request is missing a required parameter `Timestamp`\.$/, bare()],
    ['MissingParameter', /`Version`/, tc3(stranger, 'Echo', {}, { ...late, headers: { 'x-tc-version': '' } })],
    ['AuthFailure.InvalidAuthorization', /./, tc3(stranger, 'Echo', {}, { ...late, headers: { authorization: 'x' } })],
    [
      'AuthFailure.SecretIdNotFound',
      /^The SecretId is not found, please ensure that your SecretId is correct\.$/,
      tc3(stranger, 'Echo', {}, late),
    ],
    ['AuthFailure.SignatureExpire', /./, tc3(wrongKey, 'Echo', {}, late)],
    [
      'AuthFailure.SignatureFailure',
      /^The provided credentials could not be validated\. Please check your signature is correct\.$/,
      tc3({ ...wrongKey, token: 'x' }, 'Nothing', {}, oldVersion),
    ],
    ['AuthFailure.TokenFailure', /./, tc3({ ...ROOT, token: 'x' }, 'Nothing', {}, oldVersion)],
    ['NoSuchVersion', /2022-09-01/, tc3(ROOT, 'Nothing', {}, oldVersion)],
    [
      'RequestLimitExceeded',
      /^Your current request times equals to `2` in a second, which exceeds the frequency limit `1` for a second\. Please reduce the frequency of calls\.$/,
      tc3(ROOT, 'Nothing', {}, oldVersion),
    ],
  ];
  for (const [code, message, raw] of ladder) {
    const { Error: error } = read(await desk.send(raw));
    assert.equal(error?.Code, code);
    assert.match(error.Message, message);
  }
  const bodies: [code: string, action: string, payload: unknown][] = [
    ['InvalidAction', 'Nothing', '{'],
    ['InvalidAction', 'constructor', '{'],
    ['InvalidAction', 'echo', '{'],
    ['UnsupportedOperation', 'CreateRule', '{'],
    ['InvalidParameter', 'Echo', '{'],
    ['InvalidParameter', 'Echo', '[]'],
    ['UnknownParameter', 'Echo', { Foo: 1, Offset: 'x' }],
    ['MissingParameter', 'Echo', { Offset: 'x' }],
    ['InvalidParameter', 'Echo', { ZoneId: 'z', Offset: 'x', Area: 'europe' }],
    ['InvalidParameterValue', 'Echo', { ZoneId: 'z', Area: 'europe' }],
    ['UnauthorizedOperation.CamUnauthorized', 'Echo', { ZoneId: 'z' }],
  ];
  for (const [code, action, payload] of bodies) {
    desk.advance(1000);
    assert.equal((await desk.call(action, payload, user)).Error?.Code, code, JSON.stringify(payload));
  }
  // A3: who may do nothing is told so before the body is looked into.
  const refused = await desk.call('Echo', '{', powerless);
  assert.equal(refused.Error?.Code, 'UnauthorizedOperation.CamUnauthorized');
});

test('an action of another version is not found', async () => {
  await using desk = await open();
  const reply = await desk.call('Echo', { ZoneId: 'z' }, ROOT, { version: '2018-08-13' });
  assert.equal(reply.Error?.Code, 'InvalidAction');
});

test('messages come in the language asked for, by either method', async () => {
  await using desk = await open();
  const chinese = '请求缺少必要参数 `ZoneId`。';
  const english = 'The request is missing a required parameter `ZoneId`.';
  assert.equal((await desk.call('Echo', {}, ROOT, { language: 'zh-CN' })).Error?.Message, chinese);
  assert.equal((await desk.call('Echo', {}, ROOT, { language: 'en-US' })).Error?.Message, english);
  assert.equal((await desk.call('Echo', {}, ROOT, { language: 'fr-FR' })).Error?.Message, english);
  assert.equal((await desk.call('Echo', {})).Error?.Message, english);
  const form = v1(ROOT, 'Echo', {}, { ...how, language: 'zh-CN' });
  assert.equal(read(await desk.send(form)).Error?.Message, chinese);
  const tooLong = [
    bare({ url: `/?Language=zh-CN&${'a'.repeat(33_000)}` }),
    bare({ method: 'POST', body: Buffer.from(`Language=zh-CN&${'a'.repeat(1024 * 1024)}`) }),
    bare({ headers: { 'x-tc-action': 'Echo', 'x-tc-language': 'zh-CN' }, bodyLength: BODY_LIMIT + 1 }),
    bare({ method: 'POST', body: Buffer.from(`Language=zh-CN${'&a'.repeat(9_000)}`) }),
  ];
  for (const raw of tooLong) assert.equal(read(await desk.send(raw)).Error?.Message, '请求包超过限制大小。');
  const put = bare({ method: 'PUT', headers: { 'x-tc-language': 'zh-CN' } });
  assert.match(read(await desk.send(put)).Error?.Message ?? '', /只支持 GET 和 POST/);
  // One language per message: the English detail is in the log.
  const detailed = await desk.call('Echo', { ZoneId: 'z', Area: 'europe' }, ROOT, { language: 'zh-CN' });
  assert.equal(detailed.Error?.Message, '参数 `Area` 的取值错误。');
  assert.ok(desk.log.some((line) => line.includes(detailed.RequestId) && line.includes('must be one of')));
  const early = bare({ headers: { 'x-tc-action': 'Echo', 'x-tc-language': 'zh-CN' } });
  assert.equal(read(await desk.send(early)).Error?.Message, '请求缺少必要参数 `Timestamp`。');
});

test('unknown members: refused with their path, or dropped and told', async () => {
  const payload = { ZoneId: 'z', New: 1, Filters: [{ Name: 'a', Values: [], 'Bad\r\nName': 1 }] };
  await using strict = await open();
  const refused = await strict.call('Echo', { ZoneId: 'z', Filters: [{ Name: 'a', Values: [], Foo: 1 }] });
  assert.deepEqual(refused.Error, {
    Code: 'UnknownParameter',
    Message: 'The parameter `Filters.0.Foo` is not recognized.',
  });
  await using lenient = await open({ settings: { unknownFields: 'ignore' } });
  const reply = await lenient.send(tc3(ROOT, 'Echo', payload, how));
  assert.equal(read(reply)['Request'], '{"ZoneId":"z","Filters":[{"Name":"a","Values":[]}]}');
  assert.equal(reply.headers['X-EdgeFour-Unknown-Parameters'], 'New, Filters.0.Bad??Name');
  assert.ok(lenient.log.some((line) => line.includes('unknown parameters') && line.includes('New')));
});

test('multipart, other encodings and an empty body', async () => {
  await using desk = await open();
  const code = async (payload: string, type: string): Promise<string | undefined> =>
    (await desk.call('Echo', payload, ROOT, { headers: { 'content-type': type } })).Error?.Code;
  assert.equal(await code('x', 'multipart/form-data; boundary=x'), 'InvalidRequest');
  assert.equal(await code('', 'application/json'), 'MissingParameter');
  const raw = tc3(ROOT, 'Echo', '', { ...how, unsignedPayload: true });
  assert.equal(read(await desk.send({ ...raw, body: Buffer.from([0xff, 0xfe]) })).Error?.Code, 'InvalidParameter');
});

test('the rate is per key and action, and recovers', async () => {
  await using desk = await open({ settings: { ratePerSecond: 20 } });
  await desk.putKey({ secretId: 'AKIDTWO', secretKey: 'SK', account: '2' });
  const codes = async (n: number, action = 'Echo', who = ROOT): Promise<string[]> => {
    const replies = await Promise.all(Array.from({ length: n }, () => desk.call(action, { ZoneId: 'z' }, who)));
    return replies.map((reply) => reply.Error?.Code ?? 'OK');
  };
  assert.deepEqual(new Set(await codes(20)), new Set(['OK']));
  assert.deepEqual(await codes(2), ['RequestLimitExceeded', 'RequestLimitExceeded']);
  assert.deepEqual(await codes(1, 'Echo', { secretId: 'AKIDTWO', secretKey: 'SK' }), ['OK']);
  // A12: a user of the same account who may do nothing takes nothing from it.
  await desk.putKey({ secretId: 'AKIDEVE', secretKey: 'SK', user: 'eve' });
  const eve = { secretId: 'AKIDEVE', secretKey: 'SK' };
  assert.deepEqual(
    new Set(await codes(30, 'Count', eve)),
    new Set(['UnauthorizedOperation.CamUnauthorized', 'RequestLimitExceeded']),
  );
  assert.deepEqual(await codes(1, 'Count'), ['OK']);
  assert.deepEqual(await codes(1, 'Fail'), ['OperationDenied.L4LackOfResources']);
  desk.advance(50);
  assert.deepEqual(await codes(2), ['OK', 'RequestLimitExceeded']);
  await using free = await open({ settings: { ratePerSecond: 0 } });
  for (let n = 0; n < 100; n++) assert.equal((await free.call('Echo', { ZoneId: 'z' })).Error, undefined);
});

test('a handler fails with a code it declares; anything else is our own error, logged', async () => {
  await using desk = await open();
  const failed = await desk.call('Fail', { ZoneId: 'z' });
  assert.equal(failed.Error?.Code, 'OperationDenied.L4LackOfResources');
  for (const action of ['Undeclared', 'Lie', 'Fail']) {
    const reply = await desk.call(action, { ZoneId: action === 'Fail' ? 'throw' : 'z' });
    assert.deepEqual(reply.Error, { Code: 'InternalError', Message: 'An internal error occurred.' });
    const line = desk.log.find((line) => line.includes(reply.RequestId) && line.includes('"level":"error"'));
    assert.match(line ?? '', /toys\.ts|read action Lie wrote/);
  }
  assert.deepEqual(await desk.store.read((view) => view.list('toy/')), []);
});

test('a hundred parallel changes of one record all get through', async () => {
  await using desk = await open();
  const replies = await Promise.all(Array.from({ length: 100 }, () => desk.call('Count', { ZoneId: 'z' })));
  const counts = replies.map((reply) => Number(reply['Count'])).sort((a, b) => a - b);
  assert.deepEqual(
    counts,
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
});

test('changes by another control node are seen: the handler decides again', async () => {
  let interrupt = 3;
  await using desk = await open({
    store: (store) => ({
      ...bound(store),
      async commit(changes, guards) {
        if (interrupt-- > 0) await store.commit([{ key: 'zone/z', value: { count: 10 * (3 - interrupt) } }], []);
        return store.commit(changes, guards);
      },
    }),
  });
  await desk.putKey(ROOT);
  interrupt = 3;
  assert.equal((await desk.call('Count', { ZoneId: 'z' }))['Count'], 31);
  assert.match(desk.metrics.render(), /edgefour_store_conflicts_total\{action="Count"\} 3/);
});

test('endless conflicts end in an error that says so', async () => {
  await using desk = await open({
    store: (store) => ({
      ...bound(store),
      commit: (changes, guards) => (guards.length > 0 ? Promise.resolve({ ok: false }) : store.commit(changes, guards)),
    }),
  });
  assert.equal((await desk.call('Count', { ZoneId: 'z' })).Error?.Code, 'InternalError');
  assert.ok(desk.log.some((line) => line.includes('conflicting commits')));
});

test('no action has a member that a v1 call could not tell from a common parameter', () => {
  for (const [name, { request }] of Object.entries<AnyAction>(ACTIONS)) {
    const clash = Object.keys(request).filter((member) => COMMON_PARAMETERS.has(member));
    assert.deepEqual(clash, [], name);
  }
});

function bound(store: Desk['store']): Desk['store'] {
  return {
    world: store.world,
    read: (fn) => store.read(fn),
    commit: (changes, guards) => store.commit(changes, guards),
    watch: (prefixes, from, signal) => store.watch(prefixes, from, signal),
    compact: (upTo) => store.compact(upTo),
    close: () => store.close(),
  };
}
