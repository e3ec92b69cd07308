/** Signatures over the wire: published vectors, both methods with the clients' deviations, and what is refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { AnyAction } from '../../src/api/action.ts';
import { ACTIONS } from '../../src/api/actions/index.ts';
import type { RawReply, RawRequest } from '../../src/api/call.ts';
import { decodeForm } from '../../src/api/steps/form.ts';
import { v1Claim } from '../../src/api/signature/v1.ts';
import { tc3Claim } from '../../src/api/signature/tc3.ts';
import { openDesk, type Reply, ROOT, T0 } from './desk.ts';
import { flatten, type Identity, tc3, type Tc3Signing, v1, type V1Signing } from './sign.ts';
import { Echo } from './toys.ts';

interface Vector {
  readonly signMethod: string;
  readonly method: 'POST' | 'GET';
  readonly headers: Readonly<Record<string, string>>;
  readonly data: string;
}

/** Made with the official Python SDK at T0; the v1 ones carry no Host header of their own. */
const VECTORS = JSON.parse(
  readFileSync(new URL('testdata/sign-vectors.json', import.meta.url), 'utf8'),
) as readonly Vector[];
const HOST = 'teo.tencentcloudapi.com';
const desk = await openDesk({ actions: { Echo, CreateL4Proxy: Echo, DescribeL4Proxy: Echo } });
const ENGLISH = { host: '127.0.0.1:7400', timestamp: T0, language: 'en-US' };
const QUERY = { ZoneId: 'zone-1', Filters: [{ Name: 'proxy-id', Values: ['sid-1', 'a b'] }], Offset: 0, Flag: true };

function fromVector({ method, headers, data }: Vector): RawRequest {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const get = method === 'GET';
  return {
    method,
    url: get ? `/?${data}` : '/',
    headers: { host: HOST, ...lower },
    body: Buffer.from(get ? '' : data),
    peer: '127.0.0.1',
  };
}

function read(reply: RawReply): Reply {
  assert.equal(reply.status, 200);
  return (JSON.parse(reply.body) as { Response: Reply }).Response;
}
async function codeOf(raw: RawRequest): Promise<string> {
  return read(await desk.send(raw)).Error?.Code ?? 'OK';
}
const signed = (how: Partial<Tc3Signing> = {}, who: Identity = ROOT): RawRequest =>
  tc3(who, 'Echo', { ZoneId: 'zone-1' }, { ...ENGLISH, ...how });
const signedV1 = (how: Partial<V1Signing> = {}, who: Identity = ROOT): RawRequest =>
  v1(who, 'Echo', flatten(QUERY), { ...ENGLISH, ...how });

for (const vector of VECTORS) {
  test(`official vector: ${vector.signMethod} ${vector.method}`, async () => {
    const reply = read(await desk.send(fromVector(vector)));
    const sent =
      vector.method === 'POST'
        ? { ZoneId: 'zone-3kq782jghthh', ProxyName: 'proxy-name', Area: 'overseas' }
        : {
            ZoneId: 'zone-24wjy25v1cwi',
            Offset: 0,
            Limit: 10,
            Filters: [{ Name: 'proxy-id', Values: ['sid-2qwk27xf7j9g', 'a b'] }],
          };
    assert.deepEqual(JSON.parse(String(reply['Request'])), sent);
  });

  test(`official vector, one character changed: ${vector.signMethod} ${vector.method}`, async () => {
    const changed = { ...vector, data: vector.data.replace('zone-', 'Zone-') };
    assert.equal(await codeOf(fromVector(changed)), 'AuthFailure.SignatureFailure');
  });
}

test('the documented TC3 sample verifies', () => {
  const body = '{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}';
  const headers = { host: 'cvm.tencentcloudapi.com', 'content-type': 'application/json; charset=utf-8' };
  const raw: RawRequest = { method: 'POST', url: '/', headers, body: Buffer.from(body), peer: '' };
  const authorization =
    'TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, Signature=2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c';
  const claim = tc3Claim(raw, authorization, '1551113065');
  assert.equal(claim?.holds('Gu5t9xGARNpq86cd98joQYCN3*******'), true);
  assert.equal(claim?.holds('Gu5t9xGARNpq86cd98joQYCN4*******'), false);
});

test('the documented v1 sample verifies', () => {
  const query =
    'Action=DescribeInstances&InstanceIds.0=ins-09dx96dg&Limit=20&Nonce=11886&Offset=0&Region=ap-guangzhou&SecretId=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******&Timestamp=1465185768&Version=2017-03-12&Signature=zmmjn35mikh6pM3V7sUEuX4wyYM%3D';
  const headers = { host: 'cvm.tencentcloudapi.com' };
  const raw: RawRequest = { method: 'GET', url: `/?${query}`, headers, body: Buffer.from(''), peer: '' };
  assert.equal(v1Claim(raw, decodeForm(query))?.holds('Gu5t9xGARNpq86cd98joQYCN3*******'), true);
});

/** Names of headers that are not there: signed as empty. */
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `x-${i}`);

test('the path that a client calls, or `/`, is what it signed', async () => {
  const call = signed();
  const form = signedV1();
  const get = signedV1({ method: 'GET' });
  for (const path of ['/', '//', '/api/teo']) {
    assert.equal(await codeOf({ ...call, url: path }), 'OK', path);
    assert.equal(await codeOf({ ...form, url: path }), 'OK', path);
    assert.equal(await codeOf({ ...get, url: get.url.replace('/', path) }), 'OK', path);
  }
});

test('v1: a newline at the signature’s end, as Ruby writes it', async () => {
  const form = signedV1();
  assert.equal(await codeOf({ ...form, body: Buffer.concat([form.body, Buffer.from('%0A')]) }), 'OK');
});

test('TC3: every deviation of the official clients is accepted', async () => {
  const accepted: Record<string, Partial<Tc3Signing>> = {
    'Python, Go: the host with its port, service teo': {},
    'Node: the host without its port, service 127': { signedHost: '127.0.0.1', service: '127' },
    'Node at localhost:7400': { host: 'localhost:7400', signedHost: 'localhost', service: 'localhost:7400' },
    'tccli: a scheme in Host': { host: 'http://127.0.0.1:7400' },
    'IPv6 with and without port': { host: '[::1]:7400', signedHost: '[::1]' },
    'host in lower case': { host: 'TEO.Edge.Test', signedHost: 'teo.edge.test' },
    'more signed headers': { signedHeaders: ['content-type', 'host', 'x-tc-action', 'x-tc-timestamp'] },
    'the documentation: values in lower case': {
      signedHeaders: ['content-type', 'host', 'x-tc-action'],
      lowerCase: true,
    },
    'as many as are taken': { signedHeaders: ['content-type', 'host', ...names(30)] },
    'names of things that every object has': {
      signedHeaders: ['content-type', 'host', 'constructor'],
      headers: { 'x-y': '' },
    },
    'unsigned payload': { unsignedPayload: true },
    'a region, even the text null': { headers: { 'x-tc-region': 'null' } },
    'the client tag changed after signing': { headers: { 'x-tc-requestclient': 'Terraform-1.83.25' } },
    'at the edge of the time window': { timestamp: T0 - 300 },
    'at its other edge': { timestamp: T0 + 300 },
  };
  for (const [what, how] of Object.entries(accepted)) assert.equal(await codeOf(signed(how)), 'OK', what);
});

test('TC3: the raw bytes count, not what they mean', async () => {
  for (const body of ['{"ZoneId": "zone-1"}', '{ "ZoneId":"\\u7ad9" }', '{"ZoneId":"站"}\n']) {
    assert.equal(await codeOf(tc3(ROOT, 'Echo', body, ENGLISH)), 'OK', body);
  }
  const raw = tc3(ROOT, 'Echo', '{"ZoneId": "zone-1"}', ENGLISH);
  assert.equal(await codeOf({ ...raw, body: Buffer.from('{"ZoneId":"zone-1"}') }), 'AuthFailure.SignatureFailure');
});

test('TC3 GET: the query counts as sent, in any order and with either blank', async () => {
  const tail = 'Filters.0.Values.1=a';
  for (const query of [
    `Offset=0&ZoneId=zone-1&Filters.0.Name=n&Filters.0.Values.0=x&${tail}+b`,
    `ZoneId=z&Flag=True`,
  ]) {
    assert.equal(await codeOf(tc3(ROOT, 'Echo', query, { ...ENGLISH, method: 'GET' })), 'OK', query);
  }
  const raw = tc3(ROOT, 'Echo', 'ZoneId=a+b', { ...ENGLISH, method: 'GET' });
  assert.equal(await codeOf({ ...raw, url: '/?ZoneId=a%20b' }), 'AuthFailure.SignatureFailure');
});

test('TC3: refusals', async () => {
  const bearer = { authorization: 'Bearer x' };
  const refused: [string, RawRequest][] = [
    ['AuthFailure.SecretIdNotFound', signed({}, { ...ROOT, secretId: 'AKIDOTHER' })],
    ['AuthFailure.SignatureFailure', signed({}, { ...ROOT, secretKey: 'SKOTHER' })],
    ['AuthFailure.SignatureFailure', signed({ signedHost: 'example.com' })],
    ['AuthFailure.SignatureFailure', signed({ date: '2023-11-13' })],
    ['AuthFailure.SignatureExpire', signed({ timestamp: T0 - 301 })],
    ['AuthFailure.SignatureExpire', signed({ timestamp: T0 + 301 })],
    ['AuthFailure.InvalidAuthorization', signed({ headers: { authorization: 'SKIP' } })],
    ['AuthFailure.InvalidAuthorization', signed({ headers: bearer })],
    ['AuthFailure.InvalidAuthorization', signed({ headers: { authorization: '' } })],
    ['AuthFailure.InvalidAuthorization', signed({ headers: { authorization: `TC3-HMAC-SHA256 ${'x'.repeat(5000)}` } })],
    ['AuthFailure.InvalidAuthorization', signed({ signedHeaders: ['host'] })],
    ['AuthFailure.InvalidSecretId', signed({}, { ...ROOT, secretId: 'A'.repeat(129) })],
    // A1: a name that comes 1,900 times would bring its header 1,900 times into the signed text.
    ['AuthFailure.InvalidAuthorization', signed({ signedHeaders: ['content-type', 'host', 'a', 'a'] })],
    ['AuthFailure.InvalidAuthorization', signed({ signedHeaders: ['content-type', 'host', ...names(31)] })],
    [
      'AuthFailure.SignatureFailure',
      signed({ signedHeaders: ['content-type', 'host', 'constructor', '__proto__'], date: '2020-01-01' }),
    ],
  ];
  for (const [code, raw] of refused) assert.equal(await codeOf(raw), code);
});

test('v1: both hashes, both methods, every label of the body', async () => {
  const accepted: Partial<V1Signing>[] = [
    { signatureMethod: 'HmacSHA256' },
    { signatureMethod: 'HmacSHA1' },
    {},
    { contentType: 'application/json' },
    { method: 'GET', signatureMethod: 'HmacSHA256' },
    { method: 'GET', signedHost: '127.0.0.1' },
    { headers: { 'x-tc-traceid': '2f6cd5ab-0c1b-4a6d-9e9a-6a3f5ddc0e55' } },
  ];
  for (const how of accepted) {
    const reply = read(await desk.send(signedV1(how)));
    assert.deepEqual(JSON.parse(String(reply['Request'])), QUERY, JSON.stringify(how));
  }
});

test('v1: Python signs names with dots for underscores', async () => {
  const dotted = v1(ROOT, 'Echo', { ZoneId: 'z', 'Some.Name': 'x' }, ENGLISH);
  const body = Buffer.from(Buffer.from(dotted.body).toString().replace('Some.Name', 'Some_Name'));
  // The signature holds; only then is the name found to be none of the action's.
  assert.equal(await codeOf({ ...dotted, body }), 'UnknownParameter');
});

test('v1: refusals', async () => {
  const raw = signedV1();
  const changed = (from: RegExp, to: string): RawRequest => ({
    ...raw,
    body: Buffer.from(Buffer.from(raw.body).toString().replace(from, to)),
  });
  const refused: [string, RawRequest][] = [
    ['AuthFailure.SecretIdNotFound', signedV1({}, { ...ROOT, secretId: 'AKIDOTHER' })],
    ['AuthFailure.SignatureFailure', signedV1({}, { ...ROOT, secretKey: 'SKOTHER' })],
    ['AuthFailure.SignatureFailure', changed(/zone-1/, 'zone-2')],
    ['AuthFailure.SignatureExpire', signedV1({ timestamp: T0 - 301 })],
    ['InvalidParameterValue', changed(/Nonce=12345/, 'Nonce=-1')],
    ['InvalidParameterValue', changed(/Timestamp=\d+/, 'Timestamp=now')],
    ['InvalidParameterValue', changed(/$/, '&SignatureMethod=MD5')],
    ['InvalidParameter', changed(/$/, '&a=%zz')],
    ['MissingParameter', changed(/Nonce=12345&/, '')],
    ['MissingParameter', changed(/Signature=.*/, '')],
  ];
  for (const [code, raw] of refused) assert.equal(await codeOf(raw), code);
});

test('temporary keys: the token is checked, and the end', async () => {
  const temporary = { secretId: 'AKIDTEMP', secretKey: 'SKTEMP', token: 'TOKEN' };
  await desk.putKey({ ...temporary, expiresAt: T0 * 1000 + 60_000 });
  assert.equal(await codeOf(signed({}, temporary)), 'OK');
  assert.equal(await codeOf(signedV1({}, temporary)), 'OK');
  assert.equal(await codeOf(signed({}, { ...temporary, token: 'OTHER' })), 'AuthFailure.TokenFailure');
  const { token: _, ...tokenless } = temporary;
  assert.equal(await codeOf(signed({}, tokenless)), 'AuthFailure.TokenFailure');
  assert.equal(await codeOf(signed({}, { ...ROOT, token: 'TOKEN' })), 'AuthFailure.TokenFailure');
  desk.advance(60_000);
  assert.equal(await codeOf(signed({}, temporary)), 'AuthFailure.TokenFailure');
});

test('no call that was overheard is sent again as an action of EdgeFour', async () => {
  await using desk = await openDesk();
  const how = ENGLISH;
  const heard = tc3(ROOT, 'DescribeZones', {}, how);
  const as = (raw: RawRequest, action: string): RawRequest => ({
    ...raw,
    headers: { ...raw.headers, 'x-tc-action': action },
  });
  const code = async (raw: RawRequest): Promise<string> =>
    (JSON.parse((await desk.send(raw)).body) as { Response: Reply }).Response.Error?.Code ?? 'OK';
  assert.equal(await code(heard), 'OK');
  // wire: what the cloud's clients leave out of the signature, others may change.
  assert.equal(await code(as(heard, 'DescribePlans')), 'OK');
  for (const [name, { service }] of Object.entries<AnyAction>(ACTIONS))
    if (service === 'edgefour') assert.equal(await code(as(heard, name)), 'AuthFailure.SignatureFailure', name);

  const named = tc3(ROOT, 'DescribeZones', {}, { ...how, signedHeaders: ['content-type', 'host', 'x-tc-action'] });
  assert.equal(await code(as(named, 'EdgeFourReset')), 'AuthFailure.SignatureFailure');
  // An unsigned body would let others say whom the key is for.
  const anyBody = tc3(ROOT, 'EdgeFourListKeys', {}, { ...how, unsignedPayload: true });
  assert.equal(await code(anyBody), 'AuthFailure.SignatureFailure');
  for (const method of ['GET', 'POST'] as const) {
    assert.equal(await code(tc3(ROOT, 'EdgeFourListKeys', method === 'GET' ? '' : {}, { ...how, method })), 'OK');
    assert.equal(await code(v1(ROOT, 'EdgeFourListKeys', {}, { ...how, method })), 'OK');
    // Two ways to cut the signed text, and an action at the start of either.
    const cut = v1(ROOT, 'EdgeFourListKeys', { 'Z.0': 'x&Action=EdgeFourReset' }, { ...how, method });
    assert.equal(await code(cut), 'AuthFailure.SignatureFailure');
  }
});
