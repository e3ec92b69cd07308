import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { readCredentials, writeCredentials } from './credentials.ts';
import { checkDataFolder, dataFolder, openDataFolder } from './data-folder.ts';
import { writeFileAtomic } from './file.ts';
import { Usage } from './usage.ts';

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const usage = (pattern: RegExp) => (error: unknown) => error instanceof Usage && pattern.test(error.message);

test('a new folder is made for its owner alone, with parents, and known again', (t) => {
  const path = join(temporary(t), 'a', 'b');
  const folder = openDataFolder(path);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(checkDataFolder(folder), true);
  assert.deepEqual(readdirSync(openDataFolder(path).path), ['edgefour.json']);
});

test('a folder of ours that others could read is closed again', (t) => {
  const path = join(temporary(t), 'open');
  mkdirSync(path, { mode: 0o755 });
  openDataFolder(path);
  assert.equal(statSync(path).mode & 0o777, 0o700);
});

const procSkip = existsSync('/proc/self') ? false : 'there is no /proc here';
test('a place that takes no folder is refused at once', { skip: procSkip }, () => {
  assert.throws(() => openDataFolder('/proc/edgefour/data'), usage(/Can't make the data folder/));
});

test('looking changes nothing', (t) => {
  const path = join(temporary(t), 'none');
  assert.equal(checkDataFolder(dataFolder(path)), false);
  assert.equal(existsSync(path), false);
});

test('a half-written marker of ours is no stranger', (t) => {
  const path = temporary(t);
  writeFileSync(join(path, 'edgefour.json.new'), '{"pro');
  openDataFolder(path);
  assert.equal(checkDataFolder(dataFolder(path)), true);
});

for (const marker of ['', '[]', '{"product":"other","format":1}', '{"product":"edgefour"}', 'null']) {
  test(`a marker nobody can read is refused: ${marker}`, (t) => {
    const path = temporary(t);
    writeFileSync(join(path, 'edgefour.json'), marker);
    assert.throws(() => openDataFolder(path), usage(/not readable as EdgeFour's/));
  });
}

test('a folder with a long path is used where sockets can be reached by another one', (t) => {
  const path = join(temporary(t), 'x'.repeat(100));
  if (process.platform === 'linux') assert.equal(openDataFolder(path).path, path);
  else assert.throws(() => openDataFolder(path), usage(/a socket’s path may have 103 bytes/));
});

test('a marker that is damaged, or gone, does not make a folder of ours a stranger’s', (t) => {
  for (const damaged of ['', '{"pro', undefined]) {
    const path = temporary(t);
    for (const name of ['credentials.json', 'world.sqlite']) writeFileSync(join(path, name), 'x');
    if (damaged !== undefined) writeFileSync(join(path, 'edgefour.json'), damaged);
    openDataFolder(path);
    assert.deepEqual(JSON.parse(readFileSync(join(path, 'edgefour.json'), 'utf8')), { product: 'edgefour', format: 1 });
  }
});

test('a newer format is called so, however it is written', (t) => {
  for (const format of ['99', '"99"', '"2b"']) {
    const path = temporary(t);
    writeFileSync(join(path, 'edgefour.json'), `{"product":"edgefour","format":${format}}`);
    assert.throws(() => openDataFolder(path), usage(/written by a newer EdgeFour/));
  }
});

test('credentials are read as written, absent before, refused when damaged', (t) => {
  const folder = openDataFolder(temporary(t));
  assert.equal(readCredentials(folder), undefined);
  const credentials = { secretId: 'a', secretKey: 'b', zoneId: 'zone-c' };
  writeCredentials(folder, credentials);
  assert.deepEqual(readCredentials(folder), credentials);
  assert.equal(statSync(folder.credentials).mode & 0o777, 0o600);
  for (const damaged of ['', '{}', '{"secretId":"a"}']) {
    writeFileSync(folder.credentials, damaged);
    assert.throws(() => readCredentials(folder), usage(/is damaged/));
  }
});

test('a file is replaced whole, and a failed write leaves the old one and nothing else', (t) => {
  const folder = temporary(t);
  const path = join(folder, 'file');
  writeFileAtomic(path, 'one');
  writeFileAtomic(path, 'two');
  assert.equal(readFileSync(path, 'utf8'), 'two');
  assert.throws(() => writeFileAtomic(join(folder, 'no', 'file'), 'x'));
  assert.deepEqual(readdirSync(folder), ['file']);
});
