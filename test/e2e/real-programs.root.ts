/**
 * Real programs through instances made with the official clients: a database session and a bulk load, a key-value store
 * under load, a download checked by its hash, name queries over UDP.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Official, officialClients } from '../conformance/official.ts';
import { freePort } from '../suites/engine/fixture.ts';
import { online } from '../world/online.ts';
import { type World, treeWorld } from '../world/world.ts';
import { folder, output, serve } from './programs.ts';

/** limit: 100 MB written, sent and read back on a machine that others use take a minute or two. */
const TIMEOUT_MS = 300_000;
let w: World;
let clients: readonly Official[];
before(async () => {
  w = await treeWorld();
  clients = officialClients(w.api, w);
});
after(() => w[Symbol.asyncDispose]());

/** An instance with one rule from `port` to the origin; gives its entry address. */
async function instance(
  client: Official,
  name: string,
  Protocol: 'TCP' | 'UDP',
  port: number,
  originPort: number,
): Promise<string> {
  const { ProxyId } = await client.call<{ ProxyId: string }>('CreateL4Proxy', {
    ZoneId: w.zoneId,
    ProxyName: name,
    Area: 'overseas',
  });
  const rule = { Protocol, PortRange: [`${port}`], OriginType: 'IP_DOMAIN', OriginValue: ['127.0.0.1'] };
  const L4ProxyRules = [{ ...rule, OriginPortRange: `${originPort}` }];
  await client.call('CreateL4ProxyRules', { ZoneId: w.zoneId, ProxyId, L4ProxyRules });
  return online(w.client, w.zoneId, ProxyId);
}

test('PostgreSQL: a session and a COPY of 100 MB', { timeout: TIMEOUT_MS }, async () => {
  using home = folder('postgres');
  const programs = `/usr/lib/postgresql/${readdirSync('/usr/lib/postgresql').sort().at(-1)}/bin`;
  const data = join(home.path, 'data');
  mkdirSync(data);
  await output('chown', ['postgres', home.path, data]);
  const asPostgres = ['-u', 'postgres', '--'];
  await output('runuser', [...asPostgres, `${programs}/initdb`, '-A', 'trust', '-U', 'edgefour', data]);
  const port = await freePort();
  const settings = ['-D', data, '-h', '127.0.0.1', '-p', `${port}`, '-k', home.path, '-c', 'fsync=off'];
  // not: runuser in front of the server: it would get the signal that ends the test, and not pass it on.
  const drop = ['--reuid=postgres', '--regid=postgres', '--init-groups'];
  await using _server = await serve('setpriv', [...drop, `${programs}/postgres`, ...settings], port);

  const entry = await instance(clients[0]!, 'postgres', 'TCP', 5432, port);
  const psql = (...words: string[]) =>
    output('psql', [
      '-h',
      entry,
      '-p',
      '5432',
      '-U',
      'edgefour',
      '-d',
      'postgres',
      '-At',
      '-v',
      'ON_ERROR_STOP=1',
      ...words,
    ]);
  assert.equal((await psql('-c', 'select 6 * 7')).trim(), '42');

  const rows = 1_000_000;
  const line = `${'x'.repeat(99)}\n`;
  const file = join(home.path, 'rows');
  writeFileSync(file, line.repeat(rows));
  const loaded = await psql(
    '-c',
    'create table t (v text)',
    '-c',
    `\\copy t from '${file}'`,
    '-c',
    'select count(*), sum(length(v)) from t',
  );
  assert.match(loaded, new RegExp(`COPY ${rows}\\n${rows}\\|${rows * 99}\\n`));
  const back = join(home.path, 'back');
  await psql('-c', `\\copy t to '${back}'`);
  const [sent, got] = await Promise.all([file, back].map((path) => output('sha256sum', [path])));
  assert.equal(got?.split(' ')[0], sent?.split(' ')[0]);
});

test('Redis: redis-benchmark, pipelined and not', { timeout: TIMEOUT_MS }, async () => {
  using home = folder('redis');
  const port = await freePort();
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', home.path];
  await using _server = await serve('redis-server', settings, port);
  const entry = await instance(clients[1]!, 'redis', 'TCP', 6379, port);
  for (const more of [[], ['-P', '16']]) {
    const load = ['-h', entry, '-p', '6379', '-n', '10000', '-c', '50', '-t', 'set,get', '--csv', ...more];
    const table = await output('redis-benchmark', load);
    assert.match(table, /"SET","[\d.]+"/);
    assert.match(table, /"GET","[\d.]+"/);
  }
  const calls = await output('redis-cli', ['-h', entry, '-p', '6379', 'info', 'commandstats']);
  assert.match(calls, /cmdstat_set:calls=20000,/);
  assert.match(calls, /cmdstat_get:calls=20000,/);
});

test('nginx: a download, checked by its hash', { timeout: TIMEOUT_MS }, async () => {
  using home = folder('nginx');
  const port = await freePort();
  const file = randomBytes(50_000_000);
  writeFileSync(join(home.path, 'file'), file);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${home.path}/${name};`)
    .join(' ');
  writeFileSync(
    join(home.path, 'nginx.conf'),
    `daemon off; pid ${home.path}/pid; error_log stderr; events {}
     http { access_log off; ${paths} server { listen 127.0.0.1:${port}; root ${home.path}; } }`,
  );
  await using _server = await serve('nginx', ['-p', home.path, '-c', join(home.path, 'nginx.conf')], port);
  const entry = await instance(clients[2]!, 'nginx', 'TCP', 80, port);
  const saved = join(home.path, 'saved');
  await output('curl', ['-sS', '--fail', '-o', saved, `http://${entry}/file`]);
  assert.equal((await output('sha256sum', [saved])).split(' ')[0], createHash('sha256').update(file).digest('hex'));
});

test('dig: 200 name queries over UDP', { timeout: TIMEOUT_MS }, async () => {
  const dnsPort = Number(w.dns.split(':').at(-1));
  const entry = await instance(clients[0]!, 'names', 'UDP', 53, dnsPort);
  const name = `names.${w.zoneId.slice('zone-'.length)}.edgefour.test`;
  const questions = Array.from({ length: 200 }, () => [name, 'A']).flat();
  const answers = await output('dig', [`@${entry}`, '+short', '+tries=1', '+notcp', ...questions]);
  assert.deepEqual([...new Set(answers.trim().split('\n'))], [entry]);
  assert.equal(answers.trim().split('\n').length, 200);
});
