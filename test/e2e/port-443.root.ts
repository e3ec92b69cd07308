/** Port 443 without being root: with the capability a rule on it is online, without it the rule fails and says why. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { apiClient, type Client } from '../../src/cli/client/api-client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { edgefour, MAIN } from '../world/command.ts';
import { openOrigin } from '../world/origin.ts';
import type { Facts } from '../world/places.ts';
import { freeSettings } from '../world/world.ts';
import { exchange } from './clients.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const NOBODY = 65_534;
/** What the program is made of, beside package.json. */
const FOLDERS = ['bin', 'src', 'node_modules'];
const MOUNT = `
  for part in ${FOLDERS.join(' ')} package.json; do mount --bind "$0/$part" "$1/$part" || exit; done
  shift && exec setpriv "$@"`;
const CAPABILITY = ['--inh-caps', '+net_bind_service', '--ambient-caps', '+net_bind_service'];

/** `up` as nobody, with the capability or without. */
async function asNobody(t: TestContext, capability: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
  chownSync(folder, NOBODY, NOBODY);
  const ready = join(folder, 'ready.json');
  const data = join(folder, 'data');
  const user = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups', ...capability];
  const settings = [...freeSettings(data), '--ready-file', ready];
  const checkout = join(folder, 'checkout');
  for (const part of FOLDERS) mkdirSync(join(checkout, part), { recursive: true });
  writeFileSync(join(checkout, 'package.json'), '');
  // The checkout may be where nobody can't go (a home folder), or be such a folder itself: it sees the parts in a folder
  // of its own, in a mount namespace.
  const at = (path: string): string => path.replace(ROOT, checkout);
  const seen = ['--mount', 'sh', '-c', MOUNT, ROOT, checkout];
  const up = spawn('unshare', [...seen, ...user, at(process.execPath), at(MAIN), 'up', ...settings], {
    stdio: 'ignore',
    env: { HOME: folder, PATH: process.env['PATH'] },
  });
  t.after(async () => {
    const ended = once(up, 'close');
    if (up.exitCode === null && up.kill('SIGTERM')) await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually(() => assert.ok(existsSync(ready), 'it is not ready'), 60_000);
  const facts = JSON.parse(readFileSync(ready, 'utf8')) as Facts;
  return { data, zoneId: facts.zoneId, client: apiClient(facts.api, facts, () => systemClock.now()) };
}

async function ruleOn443(t: TestContext, client: Client, ZoneId: string): Promise<string> {
  const origin = await openOrigin();
  t.after(() => origin[Symbol.asyncDispose]());
  const named = { ZoneId, ProxyName: 'web', Area: 'overseas', StaticIp: 'on' };
  const { ProxyId } = await client.call<{ ProxyId: string }>('CreateL4Proxy', named);
  const rule = {
    Protocol: 'TCP',
    PortRange: ['443'],
    OriginType: 'IP_DOMAIN',
    OriginValue: [origin.address],
    OriginPortRange: `${origin.tcpPort}`,
  };
  await client.call('CreateL4ProxyRules', { ZoneId, ProxyId, L4ProxyRules: [rule] });
  return ProxyId;
}

test('with CAP_NET_BIND_SERVICE nobody forwards on 443', async (t) => {
  const { client, zoneId } = await asNobody(t, CAPABILITY);
  const proxyId = await ruleOn443(t, client, zoneId);
  const filter = { ZoneId: zoneId, Filters: [{ Name: 'proxy-id', Values: [proxyId] }] };
  const { L4Proxies } = await client.call<{ L4Proxies: { Ips: string[] }[] }>('DescribeL4Proxy', filter);
  const address = L4Proxies[0]?.Ips[0] ?? '';
  await eventually(async () => assert.equal((await exchange(address, 443, Buffer.from('x'))).toString(), 'x'));
});

test('without it the rule fails with the reason', async (t) => {
  const { client, zoneId, data } = await asNobody(t, []);
  const proxyId = await ruleOn443(t, client, zoneId);
  await eventually(async () => {
    const { stdout } = await edgefour(['status', proxyId, '--data', data]);
    assert.match(stdout, /443 +fail .*443/);
  });
});
