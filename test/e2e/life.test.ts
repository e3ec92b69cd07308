/** From the start to the end of the real tree: ready file, modes of what it keeps, signals, drain. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { eventually, freePort } from '../suites/engine/fixture.ts';
import { edgefour, spawnCommand, spawnNpmStart } from '../world/command.ts';
import { inProcesses } from '../world/places.ts';
import { treeWorld } from '../world/world.ts';
import { dial, say } from './clients.ts';

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test('the ready file has the contract’s members, secrets are the owner’s alone, and SIGTERM exits 0', async () => {
  await using w = await treeWorld({ environment: { EDGEFOUR_SECRET_ID: 'AKIDmine', EDGEFOUR_SECRET_KEY: 'my-key' } });
  const file = join(dirname(w.folder), 'ready.json');
  const ready = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const names = ['api', 'dns', 'console', 'secretId', 'secretKey', 'zoneId', 'pid'];
  assert.deepEqual(Object.keys(ready), names);
  assert.equal(ready['secretId'], 'AKIDmine');
  assert.equal(ready['secretKey'], 'my-key');
  assert.equal(ready['pid'], w.place.up.pid);
  assert.deepEqual([mode(w.folder), mode(join(w.folder, 'credentials.json')), mode(file)], ['700', '600', '600']);
  assert.equal(mode(join(w.folder, 'link.sock')), '600');
  const banner = /ready in \d+ ms[\s\S]*npx edgefour api CreateL4Proxy --ZoneId zone-/;
  await eventually(() => assert.match(w.place.output(), banner));
  assert.doesNotMatch(w.place.output(), /my-key/);
  assert.equal((await fetch(`${w.api}/readyz`)).status, 200);
  if (process.platform === 'linux') {
    const { control, edge } = w.place.pids();
    assert.match(readFileSync(`/proc/${control}/environ`, 'utf8'), /my-key/);
    assert.doesNotMatch(readFileSync(`/proc/${edge}/environ`, 'utf8'), /my-key|AKIDmine|SECRET_/);
  }

  w.place.up.kill('SIGTERM');
  assert.equal(await w.place.ended, 0);
  assert.equal(existsSync(file), false);

  const again = await inProcesses(w.args, {}, file);
  assert.deepEqual([again.facts.secretId, again.facts.secretKey, again.facts.zoneId], ['AKIDmine', 'my-key', w.zoneId]);
  await again.stop();
});

test('SIGTERM gives connections the drain time, and a client that ends in it loses nothing', async () => {
  await using w = await treeWorld({ settings: ['--drain', '20'] });
  const { address, ports } = await w.proxy('draining', [{}]);
  const socket = await dial(address, ports[0] ?? 0);
  assert.equal(await say(socket, 'before'), 'before');
  w.place.up.kill('SIGTERM');
  await eventually(() =>
    assert.rejects(async () => {
      (await dial(address, ports[0] ?? 0)).destroy();
    }),
  );
  assert.equal(await say(socket, 'in the drain'), 'in the drain');
  const closed = once(socket, 'close');
  socket.end();
  await closed;
  assert.equal(await w.place.ended, 0);
});

test('a second signal ends it at once', async () => {
  await using w = await treeWorld({ settings: ['--drain', '600'] });
  const { address, ports } = await w.proxy('stubborn', [{}]);
  const socket = await dial(address, ports[0] ?? 0);
  assert.equal(await say(socket, 'hello'), 'hello');
  w.place.up.kill('SIGTERM');
  await eventually(() => assert.match(w.place.output(), /Ctrl-C again ends at once/));
  w.place.up.kill('SIGTERM');
  assert.equal(await w.place.ended, 1);
  socket.destroy();
});

test('npm start: a SIGTERM that npm alone gets ends all of it, with 0', async () => {
  await using w = await treeWorld({}, spawnNpmStart);
  const pids = Object.values(w.place.pids());
  assert.equal(pids.length, 3);
  w.place.up.kill('SIGTERM');
  assert.equal(await w.place.ended, 0);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('npm start: one Ctrl-C, which the terminal sends and npm passes on, gives connections the drain time', async () => {
  await using w = await treeWorld({ settings: ['--drain', '600'] }, spawnNpmStart);
  const { address, ports } = await w.proxy('terminal', [{}]);
  const socket = await dial(address, ports[0] ?? 0);
  assert.equal(await say(socket, 'before'), 'before');
  process.kill(-(w.place.up.pid ?? 0), 'SIGINT');
  await eventually(() => assert.match(w.place.output(), /Ctrl-C again ends at once/));
  assert.equal(await say(socket, 'in the drain'), 'in the drain');
  const closed = once(socket, 'close');
  socket.end();
  await closed;
  assert.equal(await w.place.ended, 0);
});

test('a reader of the log that goes away ends nothing', async () => {
  await using w = await treeWorld();
  const { up } = w.place;
  up.stdout?.destroy();
  up.stderr?.destroy();
  const pids = w.place.pids();
  const { address, ports } = await w.proxy('unread', [{}]);
  const socket = await dial(address, ports[0] ?? 0);
  assert.equal(await say(socket, 'unheard'), 'unheard');
  socket.destroy();
  assert.deepEqual(w.place.pids(), pids);
  up.kill('SIGTERM');
  assert.equal(await w.place.ended, 0);
});

test('control and edge run alone, joined by the socket in the folder', async (t) => {
  await using w = await treeWorld();
  const { address, ports } = await w.proxy('alone', [{}]);
  await w.place.stop();
  // not: the port that is asked where nobody runs on the folder. A developer's own EdgeFour may have it.
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const gone = await edgefour(['status', '--data', w.folder, '--endpoint', nobody]);
  assert.equal(gone.code, 2);
  assert.match(gone.stderr, /Can't reach the API/);

  // order: the edge first, from its disk; it waits for control.
  const edge = spawnCommand(['edge', '--data', w.folder]);
  const control = spawnCommand(['control', ...w.args]);
  t.after(() => [edge, control].map((child) => child.kill('SIGKILL')));
  await eventually(async () => {
    const { code, stdout } = await edgefour(['status', '--data', w.folder]);
    assert.equal(code, 0);
    assert.match(stdout, /alive[\s\S]*online/);
  });
  // A control that has just started goes by what it last heard of an edge, for six seconds.
  const socket = await eventually(() => dial(address, ports[0] ?? 0));
  assert.equal(await say(socket, 'joined'), 'joined');
  socket.destroy();
  const ended = [once(edge, 'exit'), once(control, 'exit')];
  for (const child of [edge, control]) child.kill('SIGTERM');
  assert.deepEqual(await Promise.all(ended), [
    [0, null],
    [0, null],
  ]);
});
