/** `up --background`, and what systemd hears of an upgrade, as `systemctl reload` runs it: deploy/edgefour.service. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { eventually } from '../suites/engine/fixture.ts';
import { spawnCommand } from '../world/command.ts';
import { treeWorld } from '../world/world.ts';
import { dial, say } from './clients.ts';

const skip = process.platform !== 'linux' && 'descriptors travel on Linux only';

test(
  'an upgrade in the background: the command ends when the next one serves, and systemd follows that one',
  { skip },
  async () => {
    await using w = await treeWorld();
    const { address, ports } = await w.proxy('reloaded', [{}]);
    const folder = dirname(w.folder);
    const told = join(folder, 'told');
    const notify = join(folder, 'systemd-notify');
    // Only beside the old one, and with whose child the next one is then: systemd, when it ends a service, waits for its own.
    writeFileSync(
      notify,
      `#!/bin/sh\nkill -0 ${w.place.up.pid} && echo "$@" >${told} && grep PPid /proc/\${1#MAINPID=}/status >>${told}\n`,
    );
    chmodSync(notify, 0o755);
    const ready = join(folder, 'next.json');
    const reload = spawnCommand(['up', ...w.args, '--upgrade', '--background', '--ready-file', ready], {
      PATH: `${folder}:${process.env['PATH']}`,
      NOTIFY_SOCKET: '/nobody/listens',
    });
    assert.deepEqual(await once(reload, 'exit'), [0, null]);
    // The next one has them, too.
    for (const stream of [reload.stdout, reload.stderr]) stream?.destroy();
    const { pid } = JSON.parse(readFileSync(ready, 'utf8')) as { pid: number };
    await using ending = new AsyncDisposableStack();
    // order: before the folder goes, in which it writes.
    ending.defer(async () => {
      process.kill(pid, 'SIGTERM');
      await eventually(() => assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }));
    });
    const [, main, parent] = /^MAINPID=(\d+)\nPPid:\t(\d+)\n$/.exec(readFileSync(told, 'utf8')) ?? [];
    assert.equal(Number(main), pid);
    assert.notEqual(Number(parent), reload.pid);
    assert.equal(await w.place.ended, 0);
    const socket = await dial(address, ports[0] ?? 0);
    assert.equal(await say(socket, 'after the reload'), 'after the reload');
    socket.destroy();
  },
);

test('in the background, too, one that can not start says why, and the command fails', { skip }, async () => {
  await using w = await treeWorld();
  const second = spawnCommand(['up', ...w.args, '--background']);
  let said = '';
  second.stderr?.setEncoding('utf8').on('data', (part: string) => (said += part));
  assert.deepEqual(await once(second, 'close'), [1, null]);
  assert.match(said, /Another EdgeFour is running on this data folder/);
  assert.ok(existsSync(w.folder));
});
