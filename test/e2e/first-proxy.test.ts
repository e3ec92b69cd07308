/** The main job, whole: a signed call, an instance, rules, and bytes that arrive at the origin as they were sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRng } from '../../src/lib/rng.ts';
import { world } from '../world/world.ts';
import { datagram, exchange, sha256 } from './clients.ts';

test('TCP and UDP rules forward every byte, both ways, in every mode the node engine has', async () => {
  await using w = await world();
  const [origin] = w.origins;
  assert.ok(origin);
  const { address, ports } = await w.proxy('first', [
    { ClientIPPassThroughMode: 'OFF' },
    { ClientIPPassThroughMode: 'PPV1' },
    { ClientIPPassThroughMode: 'PPV2' },
    { Protocol: 'UDP', ClientIPPassThroughMode: 'OFF' },
    { Protocol: 'UDP', ClientIPPassThroughMode: 'PPV2' },
    { Protocol: 'UDP', ClientIPPassThroughMode: 'SPP' },
  ]);
  const [off = 0, ppv1 = 0, ppv2 = 0, udp = 0, udpPpv2 = 0, spp = 0] = ports;

  const payload = Buffer.from(systemRng.bytes(300_000));
  const back = await exchange(address, off, payload);
  assert.equal(sha256(back), sha256(payload));
  assert.equal(origin.received[0]?.hash, sha256(payload));

  const line = (await exchange(address, ppv1, Buffer.from('hello'))).toString();
  assert.match(line, new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 ${address} \\d+ ${ppv1}\\r\\nhello$`));

  const header = await exchange(address, ppv2, Buffer.from('hello'));
  assert.equal(header.subarray(0, 14).toString('hex'), '0d0a0d0a000d0a515549540a2111');
  assert.equal(header.subarray(28).toString(), 'hello');

  assert.equal((await datagram(address, udp, Buffer.from('ping'))).toString(), 'ping');
  const announced = await datagram(address, udpPpv2, Buffer.from('ping'));
  assert.equal(announced.subarray(0, 14).toString('hex'), '0d0a0d0a000d0a515549540a2112');
  assert.equal(announced.subarray(28).toString(), 'ping');
  assert.equal((await datagram(address, spp, Buffer.from('ping'))).toString(), 'ping');
  assert.equal(origin.datagrams.at(-1)?.subarray(0, 2).toString('hex'), '56ec');
  assert.equal(origin.datagrams.at(-1)?.length, 38 + 4);
});

test('a rule is online in under a second, and its numbers are on /metrics', async () => {
  await using w = await world();
  const { proxyId, address } = await w.proxy('quick', []);
  // The quickest: on a machine that is busy with other things the clock says nothing about one of them.
  let quickest = Infinity;
  let made = 0;
  for (; made < 5 && quickest >= 1_000; made++) {
    const since = performance.now();
    const { ports } = await w.rules(proxyId, [{}]);
    quickest = Math.min(quickest, performance.now() - since);
    assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('counted'))).toString(), 'counted');
  }
  assert.ok(quickest < 1_000, `${quickest} ms`);
  const metrics = await (await fetch(`${w.api}/metrics`)).text();
  assert.match(metrics, /edgefour_edge_up\{edge="local",site="local"\} 1/);
  assert.match(metrics, new RegExp(`edgefour_api_requests_total\\{action="CreateL4ProxyRules",code="OK"\\} ${made}\n`));
});

test('the CNAME of an instance resolves to its entry address', async () => {
  await using w = await world();
  const { address } = await w.proxy('named', []);
  const { Resolver } = await import('node:dns/promises');
  const resolver = new Resolver();
  resolver.setServers([w.dns]);
  assert.deepEqual(await resolver.resolve4(`named.${w.zoneId.slice('zone-'.length)}.edgefour.test`), [address]);
});
