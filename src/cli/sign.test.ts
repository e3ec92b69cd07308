import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signedHeaders } from './sign.ts';

test('signs as the official Python SDK does', () => {
  const call = {
    host: 'teo.tencentcloudapi.com',
    service: 'teo',
    version: '2022-09-01',
    action: 'CreateL4Proxy',
    body: '{"ZoneId": "zone-3kq782jghthh", "ProxyName": "proxy-name", "Area": "overseas"}',
    now: 1_700_000_000_000,
  };
  const headers = signedHeaders(call, { secretId: 'AKIDEXAMPLE', secretKey: 'SKEXAMPLE' });
  assert.equal(
    headers['authorization'],
    'TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/2023-11-14/teo/tc3_request, SignedHeaders=content-type;host, ' +
      'Signature=0d3b7d7828d069f1a4d82acc4a64b8c5be2348f963c0401fdbfa63a3ae641ac9',
  );
});
