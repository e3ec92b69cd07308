/** A2 once more with control alone in a memory cgroup of 256 MB, v1 or v2, whichever the machine has. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { eventually } from '../suites/engine/fixture.ts';
import { loneControl } from '../world/lone-control.ts';
import { answersInTime, bestOf, SECONDS, toll, withHogs } from './hogs-stage.ts';

const LIMIT = 256 * 1024 * 1024;
const [V1, V2] = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'] as const;

/** The folder of a new memory cgroup with the limit; undefined where this machine lets nobody make one. */
function memoryCgroup(t: TestContext): string | undefined {
  const v1 = existsSync(join(V1, 'memory.limit_in_bytes'));
  const folder = join(v1 ? V1 : V2, `edgefour-test-${process.pid}`);
  try {
    mkdirSync(folder);
    t.after(() => eventually(() => rmdirSync(folder), 10_000));
    writeFileSync(join(folder, v1 ? 'memory.limit_in_bytes' : 'memory.max'), `${LIMIT}`);
    return folder;
  } catch {
    return undefined;
  }
}

for (const apart of [true, false]) {
  test(`300 peers from ${apart ? '300 addresses' : 'one address'}, 256 MB for control`, async (t) => {
    const folder = memoryCgroup(t);
    if (folder === undefined) return t.skip('no memory cgroup can be made here');
    await bestOf(async () => {
      await using control = await loneControl({ cgroup: join(folder, 'cgroup.procs') });
      assert.ok(readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').includes(`${control.pid}`));
      const taken = await withHogs(control, apart, SECONDS);
      t.diagnostic(toll(taken));
      return () => answersInTime(taken);
    });
  });
}
