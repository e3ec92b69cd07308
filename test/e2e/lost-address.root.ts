/**
 * An entry address leaves the machine and comes back, on each engine: who says so, what DNS answers meanwhile, and that
 * nothing has to be started again. Beside it DNS at a wildcard, asked from another machine at each address.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, test } from 'node:test';
import { apiClient } from '../../src/cli/client/api-client.ts';
import type { Status } from '../../src/cli/client/status.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { enter, makeNamespaces, type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { MAIN, type spawnNpmStart } from '../world/command.ts';
import { online } from '../world/online.ts';
import { openOrigin } from '../world/origin.ts';
import { inProcesses } from '../world/places.ts';
import { exchange } from './clients.ts';

const skip = whyNoNamespaces() ?? false;
const noUring = skip || ((await whyUnavailable()) ?? false);
const API = '10.127.0.2';
let namespaces: Namespaces;

before(() => {
  if (skip) return;
  namespaces = makeNamespaces();
  enter(namespaces.out);
});
after(() => namespaces?.[Symbol.dispose]());

const address = (what: 'add' | 'del', ip: string): string =>
  namespaces.inEdge('ip', 'addr', what, `${ip}/32`, 'dev', 'e0');

const spawnUp: typeof spawnNpmStart = (args) =>
  spawn('ip', ['netns', 'exec', namespaces.edge, process.execPath, MAIN, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

async function leaves(engine: string, network: string): Promise<void> {
  await using ending = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
  ending.defer(() => rmSync(folder, { recursive: true, force: true }));
  const origin = ending.use(await openOrigin(namespaces.address()));
  const [first, second] = [`${network}.1`, `${network}.2`];
  for (const ip of [first, second]) address('add', ip);
  const places = ['--listen', `${API}:0`, '--dns', '0.0.0.0:0', '--addresses', `${first},${second}`, '--rate', '0'];
  const args = ['--data', join(folder, 'data'), '--engine', engine, ...places];
  const tree = await inProcesses(args, {}, join(folder, 'ready.json'), spawnUp);
  ending.defer(() => tree.stop());
  const { facts } = tree;
  const client = apiClient(facts.api, facts, () => Date.now());
  const [port = ''] = facts.dns.split(':').slice(-1);
  const resolve = (name: string, at = API): Promise<string> => {
    const resolver = new Resolver({ timeout: 2_000, tries: 2 });
    resolver.setServers([`${at}:${port}`]);
    return resolver.resolve4(`${name}.${facts.zoneId.slice('zone-'.length)}.edgefour.test`).then(
      (found) => found.join(),
      ({ code }: NodeJS.ErrnoException) => `${code}`,
    );
  };
  const makes = async (ProxyName: string): Promise<string> => {
    const fields = { ZoneId: facts.zoneId, ProxyName, Area: 'overseas' };
    const { ProxyId } = await client.call<{ ProxyId: string }>('CreateL4Proxy', fields);
    const to = { OriginType: 'IP_DOMAIN', OriginValue: [origin.address], OriginPortRange: `${origin.tcpPort}` };
    const L4ProxyRules = [{ Protocol: 'TCP', PortRange: ['7000'], ...to }];
    await client.call('CreateL4ProxyRules', { ZoneId: facts.zoneId, ProxyId, L4ProxyRules });
    return online(client, facts.zoneId, ProxyId);
  };
  const [gone, stays] = [await makes('gone'), await makes('stays')];
  const status = async () => {
    const { Edges, Instances } = await client.call<Status>('EdgeFourDescribeStatus', {}, 'edgefour');
    const rules = Instances.map(({ ProxyName, Rules }) => `${ProxyName} ${Rules[0]?.Status}`);
    return { alarms: Edges[0]?.Alarms.join() ?? '', rules };
  };
  const serves = async (ip: string): Promise<void> =>
    assert.equal((await exchange(ip, 7000, Buffer.from('x'))).toString(), 'x');
  await serves(gone);
  // F8: each address answers for itself; the client takes no answer from another one.
  for (const at of [API, stays]) assert.equal(await resolve('gone', at), gone);

  address('del', gone);
  await eventually(async () => {
    const { alarms, rules } = await status();
    assert.match(alarms, new RegExp(`not on this machine: entry address ${gone.replaceAll('.', '\\.')};`));
    assert.deepEqual(rules, ['gone fail', 'stays online']);
    assert.equal(await resolve('gone'), 'ENODATA');
  });
  assert.equal(await resolve('stays'), stays);
  await serves(stays);

  address('add', gone);
  await eventually(async () => {
    assert.deepEqual(await status(), { alarms: '', rules: ['gone online', 'stays online'] });
    assert.equal(await resolve('gone'), gone);
  });
  await serves(gone);
  // An address that came while DNS was running.
  await eventually(async () => assert.equal(await resolve('gone', gone), gone));
}

describe('an entry address leaves and comes back', { concurrency: true }, () => {
  before(() => {
    if (skip) return;
    // This process is in the other namespace already.
    for (const n of [9, 10, 11]) execFileSync('ip', ['route', 'add', `10.127.${n}.0/24`, 'via', API]);
  });
  test('node', { skip }, () => leaves('node', '10.127.9'));
  test('uring', { skip: noUring }, () => leaves('uring', '10.127.10'));
  test('kernel', { skip }, () => leaves('kernel', '10.127.11'));
});
