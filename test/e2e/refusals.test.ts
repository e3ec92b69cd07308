/** What can't start says so in one line, exits with 2 and leaves everything as it was. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { edgefour } from '../world/command.ts';
import { freeSettings, treeWorld } from '../world/world.ts';

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function refused(args: readonly string[], message: RegExp): Promise<void> {
  const { code, stderr, stdout } = await edgefour(args);
  assert.equal(code, 2, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, message);
  assert.match(stderr, /^edgefour: [^\n]+\n$/, 'one line');
}

/** Names, contents and modes. */
function picture(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    hash.update(`${name} ${statSync(path).mode} `).update(statSync(path).isFile() ? readFileSync(path) : '');
  }
  return hash.digest('hex');
}

test('a second up on the same folder is refused, and the first goes on', async () => {
  await using w = await treeWorld();
  await refused(['up', ...w.args], /Another EdgeFour is running on this data folder .*--data FOLDER/);
  const { TotalCount } = await w.client.call('DescribeL4Proxy', { ZoneId: w.zoneId });
  assert.equal(TotalCount, 0);
});

test('a flag nobody knows and a value nobody can read', async (t) => {
  const data = join(temporary(t), 'data');
  await refused(['up', '--lisen', '127.0.0.1:0', '--data', data], /Unknown option --lisen\. Did you mean --listen\?/);
  await refused(['up', '--rate', 'fast', '--data', data], /--rate "fast" is not a whole number/);
  await refused(['wurst'], /Unknown command wurst\./);
  assert.equal(existsSync(data), false);
});

test('a folder of something else', async (t) => {
  const folder = temporary(t);
  writeFileSync(join(folder, 'thesis.txt'), 'years of work');
  const before = picture(folder);
  await refused(['up', ...freeSettings(folder)], /holds files that are not EdgeFour's/);
  assert.equal(picture(folder), before);
});

test('a file in place of the folder', async (t) => {
  const file = join(temporary(t), 'data');
  writeFileSync(file, 'x');
  await refused(['up', ...freeSettings(file)], /is a file, not a folder/);
});

test('a folder of a newer version, and a world of a newer version', async (t) => {
  const folder = temporary(t);
  writeFileSync(join(folder, 'edgefour.json'), '{"product":"edgefour","format":99}');
  const before = picture(folder);
  await refused(['up', ...freeSettings(folder)], /written by a newer EdgeFour \(format 99, this one reads 1\)/);
  assert.equal(picture(folder), before);
});

test('a world that is no world', async (t) => {
  const folder = temporary(t);
  writeFileSync(join(folder, 'edgefour.json'), '{"product":"edgefour","format":1}');
  writeFileSync(join(folder, 'world.sqlite'), 'this is a poem');
  await refused(['up', ...freeSettings(folder)], /world\.sqlite can't be opened: it is not an EdgeFour world/);
  assert.equal(readFileSync(join(folder, 'world.sqlite'), 'utf8'), 'this is a poem');
  assert.equal(existsSync(join(folder, 'credentials.json')), false);
});

test(
  'a folder that can not be read',
  { skip: process.getuid?.() === 0 ? 'root reads everything' : false },
  async (t) => {
    const folder = join(temporary(t), 'data');
    mkdirSync(folder, { mode: 0o000 });
    await refused(['up', ...freeSettings(folder)], /Can't use the data folder .* \(EACCES\)/);
    chmodSync(folder, 0o700);
  },
);

for (const [flag, what] of [
  ['listen', 'is taken by another program'],
  ['dns', 'for DNS is taken by another program'],
] as const) {
  test(`a taken port: --${flag}`, async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const bound = server.address();
    assert.ok(bound !== null && typeof bound === 'object');
    const data = join(temporary(t), 'data');
    const args = freeSettings(data);
    args[args.indexOf(`--${flag}`) + 1] = `127.0.0.1:${bound.port}`;
    await refused(['up', ...args], new RegExp(`127\\.0\\.0\\.1:${bound.port} ${what}.*--${flag} HOST:PORT`));
    for (const name of ['credentials.json', 'world.sqlite']) assert.equal(existsSync(join(data, name)), false, name);
  });
}

test('a ready file that can not be written', async (t) => {
  const folder = temporary(t);
  const { code, stderr } = await edgefour([
    'up',
    ...freeSettings(join(folder, 'data')),
    '--ready-file',
    join(folder, 'no', 'file'),
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /edgefour: Can't write .*no\/file .*--ready-file/);
});
