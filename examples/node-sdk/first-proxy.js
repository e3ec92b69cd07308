// The mainland edition of the official Node SDK, as its own documentation uses it; only the endpoint is ours.
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import teo from 'tencentcloud-sdk-nodejs-teo';
import { settings } from '../settings.js';

const { api, secretId, secretKey, zoneId } = settings();
const client = new teo.teo.v20220901.Client({
  credential: { secretId, secretKey },
  profile: { httpProfile: { endpoint: api, protocol: 'http://' } },
});

// An origin to forward to: a web server on a port of its own.
const origin = createServer((_, response) => response.end('hello from the origin\n')).listen(0, '127.0.0.1');
await new Promise((listening) => origin.once('listening', listening));

const name = `node-${Date.now().toString(36)}`;
const { ProxyId } = await client.CreateL4Proxy({ ZoneId: zoneId, ProxyName: name, Area: 'overseas', StaticIp: 'on' });
await until('proxy', async () => (await describeProxy()).Status);

const { L4ProxyRuleIds } = await client.CreateL4ProxyRules({
  ZoneId: zoneId,
  ProxyId,
  L4ProxyRules: [
    {
      Protocol: 'TCP',
      PortRange: ['8080'],
      OriginType: 'IP_DOMAIN',
      OriginValue: ['127.0.0.1'],
      OriginPortRange: String(origin.address().port),
    },
  ],
});
await until('rule', async () => {
  const { L4ProxyRules } = await client.DescribeL4ProxyRules({ ZoneId: zoneId, ProxyId, Offset: 0, Limit: 20 });
  return L4ProxyRules[0].Status;
});

const { Ips } = await describeProxy();
const answer = await (await fetch(`http://${Ips[0]}:8080/`)).text();
console.log(`${ProxyId} ${L4ProxyRuleIds[0]} http://${Ips[0]}:8080/ says: ${answer.trim()}`);
origin.close();

async function describeProxy() {
  const { L4Proxies } = await client.DescribeL4Proxy({
    ZoneId: zoneId,
    Filters: [{ Name: 'proxy-id', Values: [ProxyId] }],
  });
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
