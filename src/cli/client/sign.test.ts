import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signedHeaders } from './sign.ts';

/** Made with openssl: the canonical request of the Python SDK with one line more. */
test('signs as the official SDKs do, and the name of the action with it', () => {
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
    'TC3-HMAC-SHA256 Credential=AKIDEXAMPLE/2023-11-14/teo/tc3_request, SignedHeaders=content-type;host;x-tc-action, ' +
      'Signature=2a42c4ea39dd05ff628c51b77e1e1ab32f29dbd0374ff24aecabd5e2c0945483',
  );
});
