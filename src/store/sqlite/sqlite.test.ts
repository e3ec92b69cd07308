/** The SQLite backend under the store suite. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeSuite } from '../../../test/suites/store-suite.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observe/log.ts';
import { openStore } from '../registry.ts';

storeSuite('sqlite', async (watchHistory) => {
  const folder = await mkdtemp(join(tmpdir(), 'edgefour-store-'));
  const store = await openStore(`sqlite:${join(folder, 'world.db')}`, {
    clock: systemClock,
    log: silentLog,
    ...(watchHistory !== undefined && { watchHistory }),
  });
  return {
    store,
    async remove() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
