/**
 * The process that store-crash.ts kills: opens the world, checks that it is exactly the world of its revision, and then
 * commits for ever, several at a time, telling each answer on stdout.
 */
import { flushCompileCache } from 'node:module';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/observe/log.ts';
import { openStore } from '../../src/store/registry.ts';
import { changesOf, checkWorld } from './store-crash-model.ts';

const store = await openStore(`sqlite:${process.argv[2]}`, { clock: systemClock, log: silentLog, watchHistory: 100 });
let revision = await checkWorld(store);
// A killed process leaves no compile cache behind unless it is told to; the next one starts twice as fast with it.
flushCompileCache();
process.stdout.write(`opened ${revision}\n`);
for (;;) {
  const group = Array.from({ length: 1 + (revision % 4) }, () => {
    revision++;
    return store.commit(changesOf(revision), []).then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));
  });
  await Promise.all(group);
}
