/** The examples that this machine can run, as written, against a running EdgeFour: Node and curl. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type World, world } from '../world/world.ts';
import { output } from './programs.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');
const found = (program: string): boolean => existsSync(`/usr/bin/${program}`);

let w: World;
before(async () => (w = await world()));
after(() => w[Symbol.asyncDispose]());

const settings = () => ({
  EDGEFOUR_API: w.api.replace('http://', ''),
  EDGEFOUR_ZONE: w.zoneId,
  TENCENTCLOUD_SECRET_ID: w.secretId,
  TENCENTCLOUD_SECRET_KEY: w.secretKey,
});

for (const edition of ['node-sdk', 'node-sdk-intl']) {
  test(`examples/${edition}`, async () => {
    const said = await output(process.execPath, [join(EXAMPLES, edition, 'first-proxy.js')], settings());
    assert.match(said, /^sid-\w{12} rule-\w{12} http:\/\/[\d.]+:8080\/ says: hello from the origin$/m);
  });
}

const missing = ['curl', 'openssl'].filter((program) => !found(program));
test('examples/curl', { skip: missing.length > 0 && `${missing.join(' and ')} not installed` }, async () => {
  const said = await output('sh', [join(EXAMPLES, 'curl', 'first-proxy.sh')], settings());
  assert.match(said, /^sid-\w{12} http:\/\/[\d.]+:8080\/healthz says: ok$/m);
});
