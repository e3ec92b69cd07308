/**
 * The official clients, unmodified, against the listener and the pipeline: every signing method that each of them has,
 * with nested lists in the request and an error read back. What the calls do is the business of test/e2e.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { Capi } from '@tencent-sdk/capi';
import { teo } from 'tencentcloud-sdk-nodejs-teo';
import type { RawRequest } from '../../src/api/call.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { startHttp } from '../../src/control/http/http.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { ZONE } from '../world/actions.ts';
import { ROOT } from './desk.ts';
import { openHostileDesk } from './hostile.ts';

/** The parts of the international edition, which has no types, that are used here. */
interface IntlClient {
  DescribeL4Proxy(request: object, done: (error: unknown, reply: object) => void): void;
}
interface Intl {
  Client: new (credential: object, region: string, profile: object) => IntlClient;
  Models: { DescribeL4ProxyRequest: new () => { from_json_string(text: string): void } };
}
interface IntlCommon {
  Credential: new (id: string, key: string) => object;
  ClientProfile: new () => { httpProfile: object; signMethod: string };
  HttpProfile: new () => { endpoint: string; protocol: string; reqMethod: string };
}
const load = createRequire(import.meta.url);
const intl = load('tencentcloud-sdk-nodejs-intl-en/tencentcloud/teo/v20220901/index.js') as Intl;
const common = load('tencentcloud-sdk-nodejs-intl-en/tencentcloud/common/index.js') as IntlCommon;

const desk = await openHostileDesk({ around: { clock: systemClock } });
const doors = {
  call: (raw: RawRequest) => desk.send(raw),
  foresee: (raw: RawRequest) => desk.foresee(raw),
  refuse: (raw: RawRequest, fault: Fault) => desk.refuse(raw, fault),
  metrics: () => Promise.reject(),
  ready: () => ({ isReady: true, text: '' }),
  console: () => Promise.reject(),
};
const http = await startHttp(
  { listen: { host: '127.0.0.1', port: 0 }, setting: 'listen', refused() {}, clock: systemClock },
  Promise.resolve(doors),
);
after(async () => {
  await http.stop();
  await desk[Symbol.asyncDispose]();
});

const endpoint = http.origin.slice('http://'.length);
const BLANK = { ZoneId: ZONE, Filters: [{ Name: 'proxy-id', Values: ['sid-nobody', 'with a blank', '站点'] }] };
const UNKNOWN = { ZoneId: ZONE, Filters: [{ Name: 'no-such-filter', Values: ['x'] }] };
const UNKNOWN_CODE = /^Invalid/;

type Call = (request: typeof BLANK) => Promise<unknown>;

async function works(call: Call): Promise<void> {
  const reply = (await call(BLANK)) as { TotalCount: number; L4Proxies: unknown[]; RequestId: string };
  assert.deepEqual([reply.TotalCount, reply.L4Proxies], [0, []]);
  await assert.rejects(call(UNKNOWN), (error: { code: string; requestId: string }) => {
    assert.match(error.code, UNKNOWN_CODE);
    return true;
  });
}

for (const signMethod of ['TC3-HMAC-SHA256', 'HmacSHA256', 'HmacSHA1'] as const) {
  for (const reqMethod of ['POST', 'GET'] as const) {
    test(`Node SDK: ${signMethod} ${reqMethod}`, async () => {
      const profile = { signMethod, httpProfile: { endpoint, protocol: 'http://', reqMethod } };
      const client = new teo.v20220901.Client({ credential: ROOT, region: '', profile });
      await works((request) => client.DescribeL4Proxy(request));
    });

    test(`Node SDK, international: ${signMethod} ${reqMethod}`, async () => {
      const httpProfile = Object.assign(new common.HttpProfile(), { endpoint, protocol: 'http://', reqMethod });
      const profile = Object.assign(new common.ClientProfile(), { httpProfile, signMethod });
      const client = new intl.Client(new common.Credential(ROOT.secretId, ROOT.secretKey), '', profile);
      await works((fields) => {
        const request = new intl.Models.DescribeL4ProxyRequest();
        request.from_json_string(JSON.stringify(fields));
        return promisify(client.DescribeL4Proxy.bind(client))(request);
      });
    });
  }
}

for (const isV3 of [false, true]) {
  test(`capi: ${isV3 ? 'TC3' : 'v1 in a body labelled JSON'}`, async () => {
    const client = new Capi({ ...ROOT, region: 'ap-guangzhou', serviceType: 'teo', version: '2022-09-01' });
    await works(async (request) => {
      const options = { host: endpoint, protocol: 'http', path: '/' } as const;
      const { Response } = (await client.request({ action: 'DescribeL4Proxy', ...request }, options, isV3)) as {
        Response: { Error?: { Code: string }; RequestId: string };
      };
      if (Response.Error) throw Object.assign(new Error(), { code: Response.Error.Code });
      return Response;
    });
  });
}
