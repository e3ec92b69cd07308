/** The command line against a running EdgeFour, as a person and as a script use it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { edgefour } from '../world/command.ts';
import { world, type World } from '../world/world.ts';
import { exchange } from './clients.ts';

/** Its standard output where it went well; the refusal as an error where not. */
async function said(w: World, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await edgefour([...args, '--data', w.folder]);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

test('from api to status: an instance and a rule by hand, banned and unbanned', async () => {
  await using w = await world();
  const [origin] = w.origins;
  assert.ok(origin);
  const made = await said(
    w,
    'api',
    'CreateL4Proxy',
    '--ProxyName',
    'by-hand',
    '--Area',
    'overseas',
    '--json',
    '--wait',
  );
  const { ProxyId } = JSON.parse(made) as { ProxyId: string };
  const rule = {
    Protocol: 'TCP',
    PortRange: ['20443'],
    OriginType: 'IP_DOMAIN',
    OriginValue: [origin.address],
    OriginPortRange: `${origin.tcpPort}`,
    RuleTag: 'by hand',
  };
  const fields = ['--ProxyId', ProxyId, '--L4ProxyRules', JSON.stringify(rule)];
  assert.match(await said(w, 'api', 'CreateL4ProxyRules', ...fields, '--wait'), /^L4ProxyRuleIds {2}rule-/);
  const status = JSON.parse(await said(w, 'status', ProxyId, '--json')) as Status;
  const address = status.Instances[0]?.Entries[0]?.Addresses[0] ?? '';
  assert.equal((await exchange(address, 20_443, Buffer.from('x'))).toString(), 'x');
  assert.match(
    await said(w, 'status'),
    /local +local +alive[\s\S]*by-hand[\s\S]*\(by hand\) +TCP +20443 +online +node/,
  );

  const nobody = await edgefour(['api', 'DescribeL4ProxyRules', '--ProxyId', 'sid-nobody', '--data', w.folder]);
  assert.match(nobody.stdout, /TotalCount +0/);
  assert.match(nobody.stderr, /^Zone zone-\w+ has no L4 proxy sid-nobody; `edgefour status` lists those it has\.\n$/);
  assert.equal(nobody.code, 0);

  assert.equal(await said(w, 'ban', ProxyId), 'Done.\n');
  const { stderr, code } = await edgefour(['api', 'CreateL4ProxyRules', ...fields, '--data', w.folder]);
  assert.equal(code, 1);
  assert.match(stderr, /^edgefour: OperationDenied\.L4ProxyInBannedStatus: .* \(RequestId [0-9a-f-]{36}\)\n$/);
  await said(w, 'unban', ProxyId);
});

test('a list of networks in several parts is put, and put again', async () => {
  await using w = await world();
  const file = join(w.folder, 'networks.txt');
  const networks = Array.from({ length: 5_001 }, (_, n) => `10.${n >> 8}.${n & 255}.0/24`);
  writeFileSync(file, `# a remark\n${networks.join('\n')}\n`);
  for (let times = 0; times < 2; times++) {
    const { code, stderr } = await edgefour(['limit', 'list', 'blocked', file, '--data', w.folder]);
    assert.deepEqual([code, stderr], [0, 'blocked: 5001 networks\n']);
  }
});

interface Status {
  readonly Instances: readonly { readonly Entries: readonly { readonly Addresses: readonly string[] }[] }[];
}

test('a key with a policy may do what the policy says and nothing else', async () => {
  await using w = await world();
  const document = { version: '2.0', statement: [{ effect: 'allow', action: ['teo:Describe*'], resource: ['*'] }] };
  const file = join(dirname(w.folder), 'policy.json');
  writeFileSync(file, JSON.stringify(document));
  await said(w, 'policy', 'put', 'look', file);
  assert.match(await said(w, 'policy', 'list'), /look/);
  const { SecretId, SecretKey } = JSON.parse(
    await said(w, 'key', 'create', 'dashboard', '--policy', 'look', '--json'),
  ) as { SecretId: string; SecretKey: string };
  const asUser = { EDGEFOUR_SECRET_ID: SecretId, EDGEFOUR_SECRET_KEY: SecretKey, EDGEFOUR_ENDPOINT: w.api };
  const look = await edgefour(['api', 'DescribeL4Proxy', '--zone', w.zoneId], asUser);
  assert.equal(look.code, 0, look.stderr);
  const create = await edgefour(
    ['api', 'CreateL4Proxy', '--ZoneId', w.zoneId, '--ProxyName', 'a', '--Area', 'overseas'],
    asUser,
  );
  assert.equal(create.code, 1);
  assert.match(create.stderr, /UnauthorizedOperation\.CamUnauthorized/);
  await said(w, 'key', 'revoke', SecretId);
  assert.match((await edgefour(['api', 'DescribeL4Proxy', '--zone', w.zoneId], asUser)).stderr, /SecretIdNotFound/);
});

test('a fault strikes as often as asked', async () => {
  await using w = await world();
  await said(w, 'fault', 'add', 'DescribeL4Proxy', 'InternalError.ProxyServer', '--times', '1');
  assert.match(await said(w, 'fault', 'list'), /DescribeL4Proxy +InternalError\.ProxyServer +1/);
  const struck = await edgefour(['api', 'DescribeL4Proxy', '--data', w.folder]);
  assert.match(struck.stderr, /InternalError\.ProxyServer/);
  assert.match(await said(w, 'api', 'DescribeL4Proxy'), /TotalCount +0/);
});

test('backup copies a world that is in use, reset empties it', async () => {
  await using w = await world();
  await w.proxy('kept', []);
  const file = join(dirname(w.folder), 'copy.sqlite');
  await said(w, 'backup', file);
  assert.equal(readFileSync(file).toString('latin1', 0, 15), 'SQLite format 3');
  assert.equal((await edgefour(['backup', file, '--data', w.folder])).code, 2);

  const since = performance.now();
  await said(w, 'reset', '--endpoint', w.api);
  assert.equal((await w.client.call('DescribeL4Proxy', { ZoneId: w.zoneId }))['TotalCount'], 0);
  assert.ok(performance.now() - since < 60_000);

  await w.place.stop();
  await said(w, 'reset');
  assert.deepEqual(
    ['world.sqlite', 'edge', 'credentials.json'].map((name) => existsSync(join(w.folder, name))),
    [false, false, true],
  );
  assert.ok(statSync(file).size > 0);
});

test('help comes from the actions, and mistakes are pointed at', async () => {
  const list = await edgefour(['api']);
  assert.match(list.stdout, /CreateL4ProxyRules +Create/);
  const help = await edgefour(['api', 'CreateL4Proxy', '--help']);
  assert.match(help.stdout, /--Area mainland\|overseas\|global +\(required\)/);
  assert.match(help.stdout, /edgefour api CreateL4Proxy --ZoneId zone-\w+ --ProxyName proxy-name --Area overseas/);
  const typo = await edgefour(['api', 'CreateL4Proxi']);
  assert.deepEqual(
    [typo.code, typo.stderr],
    [2, 'edgefour: There is no action CreateL4Proxi. Did you mean CreateL4Proxy?\n'],
  );
  const commands = await edgefour(['help']);
  for (const name of ['up', 'status', 'doctor', 'backup', 'reset', 'fault'])
    assert.match(commands.stdout, new RegExp(`^ {2}${name} `, 'm'));
});

test('config shows each setting and its source, never the key', async () => {
  const environment = { EDGEFOUR_SECRET_ID: 'AKIDx', EDGEFOUR_SECRET_KEY: 'hidden-key', EDGEFOUR_RATE: '7' };
  const { stdout, code } = await edgefour(['config', '--domain', 'a.test'], environment);
  assert.equal(code, 0);
  assert.match(stdout, /--rate +7 +environment +EDGEFOUR_RATE/);
  assert.match(stdout, /--domain +a\.test +flag/);
  assert.match(stdout, /--engine +auto +default/);
  assert.doesNotMatch(stdout, /hidden-key/);
});
