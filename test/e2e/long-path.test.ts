/** A data folder whose path no socket could have: control, edge and the next process find each other all the same. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { edgefour } from '../world/command.ts';
import { Generations } from '../world/upgrade.ts';
import { treeWorld } from '../world/world.ts';
import { exchange } from './clients.ts';

const skip = process.platform === 'linux' ? false : 'elsewhere such a folder is refused in one line';

test('it serves, and it can be upgraded', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-long-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, 'a'.repeat(60), 'b'.repeat(60));
  await using w = await treeWorld({ data, settings: ['--drain', '0'] });
  const { address, ports } = await w.proxy('far', [{}]);
  assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('flows'))).toString(), 'flows');
  const status = await edgefour(['status', '--data', data]);
  assert.match(status.stdout, /local +local +alive/);
  for (const name of ['link.sock', 'up.sock', 'ctl.sock', 'edge.sock']) assert.ok(existsSync(join(data, name)), name);
  await using generations = new Generations(w);
  await generations.upgrade();
  assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('after'))).toString(), 'after');
});
