/**
 * Real programs that die in real ways, as origins of a balancer that the API made: nginx that answers 503, Redis that is
 * killed, stopped and cut off, PostgreSQL whose standby is promoted. Their own clients say where traffic goes.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { eventually, freePort, loopback } from '../suites/engine/fixture.ts';
import { type World, treeWorld } from '../world/world.ts';
import { folder, output, serve } from './programs.ts';

const TIMES = { Interval: 1, Timeout: 1, HealthThreshold: 2, CriticalThreshold: 2 };
const GROUP = { Type: 'GENERAL' };
const PROGRAMS = ['nginx', 'redis-server', 'redis-cli', 'psql', 'curl', 'ip', 'nft'];
const missing = PROGRAMS.filter((name) => !isInstalled(name));
const skip = missing.length > 0 && `needs ${missing.join(', ')}`;
let w: World;

describe('programs that are watched', { concurrency: 3, timeout: 240_000, skip }, () => {
  before(async () => {
    w = await treeWorld({ environment: { EDGEFOUR_FEATURES: 'fast-checks' } });
  });
  after(() => w[Symbol.asyncDispose]());

  test('nginx, checked by HTTP: 200, 503, 200', nginxIll);
  test('Redis, checked by what it answers: killed, stopped, cut off', redisGone);
  test('PostgreSQL, checked by a page that says who is primary: a promoted standby gets the traffic', promoted);
});

function isInstalled(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((path) => existsSync(join(path, name)));
}

/** A balancer on one group of these origins, and a rule on it, as the API makes them. */
async function balanced(name: string, originPort: number, addresses: readonly string[], checker: object) {
  const { client, zoneId: ZoneId } = w;
  const Records = addresses.map((Record) => ({ Record }));
  const group = { ZoneId, ...GROUP, Name: `${name}-group`, Records };
  const { OriginGroupId } = await client.call<{ OriginGroupId: string }>('CreateOriginGroup', group);
  const OriginGroups = [{ Priority: 'priority_1', OriginGroupId }];
  const made = await client.call<{ InstanceId: string }>('CreateLoadBalancer', {
    ZoneId,
    ...GROUP,
    Name: name,
    OriginGroups,
    HealthChecker: { Type: 'NoCheck' },
  });
  const Filters = [{ Name: 'InstanceId', Values: [made.InstanceId] }];
  await eventually(async () => {
    const { LoadBalancerList } = await client.call<{ LoadBalancerList: { Status: string }[] }>(
      'DescribeLoadBalancerList',
      { ZoneId, Filters },
    );
    assert.equal(LoadBalancerList[0]?.Status, 'Running');
  });
  await client.call('EdgeFourSetHealthCheck', {
    ZoneId,
    LoadBalancerId: made.InstanceId,
    Checker: { ...TIMES, ...checker },
  });
  const rule = { OriginType: 'LB', OriginValue: [made.InstanceId], OriginPortRange: `${originPort}` };
  const proxy = await eventually(() => w.proxy(name, [rule]));
  /** As the API tells it. */
  const health = async (): Promise<Record<string, string>> => {
    const { OriginGroupHealthStatusList } = await client.call<{
      OriginGroupHealthStatusList: { OriginHealthStatus: { Origin: string; Healthy: string }[] }[];
    }>('DescribeOriginGroupHealthStatus', { ZoneId, LBInstanceId: made.InstanceId });
    const [only] = OriginGroupHealthStatusList;
    return Object.fromEntries(only?.OriginHealthStatus.map(({ Origin, Healthy }) => [Origin, Healthy]) ?? []);
  };
  return { entry: proxy.address, port: proxy.ports[0] ?? 0, health };
}

/** Until six clients in a row get exactly these. */
async function goesTo(who: () => Promise<string>, ...expected: readonly string[]): Promise<void> {
  await eventually(async () => {
    const seen = new Set<string>();
    for (let i = 0; i < 6; i++) seen.add(await who());
    assert.deepEqual([...seen].toSorted(), expected.toSorted());
  });
}

async function nginxIll(): Promise<void> {
  using home = folder('nginx');
  const port = await freePort();
  const addresses = [loopback(), loopback()] as const;
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${home.path}/${name};`)
    .join(' ');
  const servers = addresses.map((address) => {
    mkdirSync(join(home.path, address));
    const health = `location /health { if (-f ${home.path}/${address}/ill) { return 503; } return 200 fine; }`;
    return `server { listen ${address}:${port}; location / { return 200 ${address}; } ${health} }`;
  });
  writeFileSync(
    join(home.path, 'nginx.conf'),
    `daemon off; pid ${home.path}/pid; error_log stderr; events {}
     http { access_log off; ${paths} ${servers.join(' ')} }`,
  );
  const [one, other] = addresses;
  await using _nginx = await serve('nginx', ['-p', home.path, '-c', join(home.path, 'nginx.conf')], port, one);
  const check = { Type: 'HTTP', Port: port, Method: 'GET', Path: 'www.example.com/health', ExpectedCodes: ['200'] };
  const { entry, port: entryPort, health } = await balanced('nginx', port, addresses, check);
  const who = () => output('curl', ['-sS', '--fail', '-m', '20', `http://${entry}:${entryPort}/`]);
  await goesTo(who, one, other);
  await eventually(async () => assert.deepEqual(await health(), { [one]: 'Healthy', [other]: 'Healthy' }));

  writeFileSync(join(home.path, one, 'ill'), '');
  await goesTo(who, other);
  await eventually(async () => assert.deepEqual(await health(), { [one]: 'Unhealthy', [other]: 'Healthy' }));
  rmSync(join(home.path, one, 'ill'));
  await goesTo(who, one, other);
  await eventually(async () => assert.equal((await health())[one], 'Healthy'));
}

/** A namespace with one address, and a switch for what comes in. */
function island(t: TestContext) {
  const name = `ef-island-${process.pid}`;
  const [here, there] = [1, 2].map((host) => `10.219.${process.pid % 250}.${host}`) as [string, string];
  const run = (command: string, ...args: string[]): void => void execFileSync(command, args, { stdio: 'pipe' });
  t.after(() => run('ip', 'netns', 'del', name));
  run('ip', 'netns', 'add', name);
  run('ip', 'link', 'add', `efi${process.pid}`, 'type', 'veth', 'peer', 'name', 'sea', 'netns', name);
  run('ip', 'addr', 'add', `${here}/30`, 'dev', `efi${process.pid}`);
  run('ip', 'link', 'set', `efi${process.pid}`, 'up');
  run('ip', '-n', name, 'addr', 'add', `${there}/30`, 'dev', 'sea');
  run('ip', '-n', name, 'link', 'set', 'sea', 'up');
  const nft = (...words: string[]): void => run('ip', 'netns', 'exec', name, 'nft', ...words);
  return {
    name,
    address: there,
    cutOff() {
      nft('add', 'table', 'ip', 'storm');
      nft('add', 'chain', 'ip', 'storm', 'in', '{ type filter hook input priority 0; policy drop; }');
    },
    rejoin: () => nft('delete', 'table', 'ip', 'storm'),
  };
}

async function redisGone(t: TestContext): Promise<void> {
  using home = folder('redis');
  const port = await freePort();
  const { name, address: far, ...sea } = island(t);
  const near = loopback();
  const settings = (address: string) => {
    const dir = join(home.path, address);
    mkdirSync(dir, { recursive: true });
    return ['--port', `${port}`, '--bind', address, '--save', '', '--dir', dir, '--protected-mode', 'no'];
  };
  const cli = (host: string, at: number, ...words: string[]) =>
    output('timeout', ['5', 'redis-cli', '-h', host, '-p', `${at}`, ...words]).then(
      (said) => said.trim(),
      () => 'no answer',
    );
  const start = async (address: string, ...before: string[]) => {
    const [command = '', ...rest] = [...before, 'redis-server', ...settings(address)];
    const server = await serve(command, rest, port, address);
    assert.equal(await cli(address, port, 'set', 'who', address), 'OK');
    return server;
  };
  await using nearby = await start(near);
  await using _faraway = await start(far, 'ip', 'netns', 'exec', name);
  const check = { Type: 'TCP', Port: port, Send: 'PING\r\n', Expect: '+PONG' };
  const { entry, port: entryPort } = await balanced('redis', port, [near, far], check);
  const who = () => cli(entry, entryPort, 'get', 'who');
  await goesTo(who, near, far);

  sea.cutOff();
  await goesTo(who, near);
  sea.rejoin();
  await goesTo(who, near, far);

  nearby.signal('SIGSTOP');
  await goesTo(who, far);
  nearby.signal('SIGCONT');
  await goesTo(who, near, far);

  nearby.signal('SIGKILL');
  await nearby.ended;
  await goesTo(who, far);
  await using _again = await start(near);
  await goesTo(who, near, far);
}

const asPostgres = ['-u', 'postgres', '--'];
/** not: runuser in front of a server: it would get the signal that ends the test, and not pass it on. */
const drop = ['--reuid=postgres', '--regid=postgres', '--init-groups'];

async function promoted(t: TestContext): Promise<void> {
  using home = folder('postgres');
  const programs = `/usr/lib/postgresql/${readdirSync('/usr/lib/postgresql').sort().at(-1)}/bin`;
  const [first, second] = [loopback(), loopback()];
  const [port, pagePort] = [await freePort(), await freePort()];
  const data = (address: string): string => join(home.path, address);
  await output('chown', ['postgres', home.path]);
  await output('runuser', [...asPostgres, `${programs}/initdb`, '-A', 'trust', '-U', 'edgefour', data(first)]);
  writeFileSync(
    join(data(first), 'pg_hba.conf'),
    'host all all 127.0.0.0/8 trust\nhost replication all 127.0.0.0/8 trust\n',
  );
  const start = (address: string) => {
    const settings = ['-D', data(address), '-h', address, '-p', `${port}`, '-k', '', '-c', 'fsync=off'];
    return serve('setpriv', [...drop, `${programs}/postgres`, ...settings], port, address);
  };
  const ask = (host: string, at: number, ...statements: string[]): Promise<string> => {
    const words = statements.flatMap((statement) => ['-c', statement]);
    const environment = { PGCONNECT_TIMEOUT: '5' };
    const where = ['-h', host, '-p', `${at}`, '-U', 'edgefour', '-d', 'postgres', '-At', '-v', 'ON_ERROR_STOP=1'];
    return output('timeout', ['20', 'psql', ...where, ...words], environment).then((said) => said.trim());
  };
  await using primary = await start(first);
  await ask(first, port, 'create table t (v int)');
  const from = ['-h', first, '-p', `${port}`, '-U', 'edgefour', '-c', 'fast', '-R'];
  await output('runuser', [...asPostgres, `${programs}/pg_basebackup`, ...from, '-D', data(second)]);
  await using _standby = await start(second);
  for (const address of [first, second])
    await page(t, address, pagePort, () => ask(address, port, 'select pg_is_in_recovery()'));

  const check = { Type: 'HTTP', Port: pagePort, Method: 'GET', Path: 'patroni/primary', ExpectedCodes: ['200'] };
  const times = { Interval: 2, Timeout: 2 };
  const { entry, port: entryPort } = await balanced('postgres', port, [first, second], { ...check, ...times });
  const who = () => ask(entry, entryPort, 'select host(inet_server_addr())').catch(() => 'no answer');
  await goesTo(who, first);
  await ask(entry, entryPort, 'insert into t values (1)');
  await eventually(async () => assert.equal(await ask(second, port, 'select count(*) from t'), '1'));

  primary.signal('SIGQUIT');
  await primary.ended;
  await ask(second, port, 'select pg_promote()');
  await goesTo(who, second);
  await ask(entry, entryPort, 'insert into t values (2)');
  assert.equal(await ask(entry, entryPort, 'select count(*) from t'), '2');
}

/** As Patroni's: 200 where the server beside it is the primary, else 503. */
async function page(t: TestContext, address: string, port: number, isInRecovery: () => Promise<string>): Promise<void> {
  const server = createServer((_, response) => {
    void isInRecovery().then(
      (said) => response.writeHead(said === 'f' ? 200 : 503).end(),
      () => response.writeHead(503).end(),
    );
  });
  server.listen(port, address);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
}
