/** The memory backend under the store suite. */
import { storeSuite } from '../../../test/suites/store-suite.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observe/log.ts';
import { openStore } from '../registry.ts';

storeSuite('memory', async (watchHistory) => {
  const store = await openStore('memory:', {
    clock: systemClock,
    log: silentLog,
    ...(watchHistory !== undefined && { watchHistory }),
  });
  return { store, remove: () => store.close() };
});
