// The international edition of the official Node SDK: callbacks, request objects, and HmacSHA256 form signatures by
// default. Only the endpoint is ours.
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import sdk from 'tencentcloud-sdk-nodejs-intl-en';
import { settings } from '../settings.js';

const { api, secretId, secretKey, zoneId } = settings();
const { Client, Models } = sdk.teo.v20220901;
const { Credential, ClientProfile, HttpProfile } = sdk.common;

const http = new HttpProfile();
http.endpoint = api;
http.protocol = 'http://';
const profile = new ClientProfile();
profile.httpProfile = http;
const client = new Client(new Credential(secretId, secretKey), '', profile);

const origin = createServer((_, response) => response.end('hello from the origin\n')).listen(0, '127.0.0.1');
await new Promise((listening) => origin.once('listening', listening));

const name = `intl-${Date.now().toString(36)}`;
const { ProxyId } = await call('CreateL4Proxy', { ProxyName: name, Area: 'overseas', StaticIp: 'on' });
await until('proxy', async () => (await describeProxy()).Status);

const rule = {
  Protocol: 'TCP',
  PortRange: ['8080'],
  OriginType: 'IP_DOMAIN',
  OriginValue: ['127.0.0.1'],
  OriginPortRange: String(origin.address().port),
};
const { L4ProxyRuleIds } = await call('CreateL4ProxyRules', { ProxyId, L4ProxyRules: [rule] });
await until('rule', async () => {
  const { L4ProxyRules } = await call('DescribeL4ProxyRules', { ProxyId, Offset: 0, Limit: 20 });
  return L4ProxyRules[0].Status;
});

const { Ips } = await describeProxy();
const answer = await (await fetch(`http://${Ips[0]}:8080/`)).text();
console.log(`${ProxyId} ${L4ProxyRuleIds[0]} http://${Ips[0]}:8080/ says: ${answer.trim()}`);
origin.close();

function call(action, fields) {
  const request = new Models[`${action}Request`]();
  request.from_json_string(JSON.stringify({ ZoneId: zoneId, ...fields }));
  return promisify(client[action].bind(client))(request);
}

async function describeProxy() {
  const { L4Proxies } = await call('DescribeL4Proxy', { Filters: [{ Name: 'proxy-id', Values: [ProxyId] }] });
  return L4Proxies[0];
}

async function until(what, status) {
  for (let tries = 0; tries < 100; tries++) {
    const now = await status();
    if (now === 'online') return;
    if (now === 'fail') throw new Error(`the ${what} failed; \`edgefour status\` says why`);
    await wait(100);
  }
  throw new Error(`the ${what} is not online after 10 s`);
}
