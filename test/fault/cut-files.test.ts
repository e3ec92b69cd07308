/** A few of the cuts of cut-files.ts; `npm run cut` tries all of them. */
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { cutCampaign } from './cut-files.ts';

const skip = process.platform === 'linux' ? false : 'finding the children of a process is done with /proc';

test('a store, its log and the credentials that were cut: everything serves', { skip }, async (t) => {
  const tally = await cutCampaign((cuts) => {
    const of = (name: string) => cuts.filter(({ file }) => file === name);
    const wal = of('world.sqlite-wal');
    return [...of('credentials.json').slice(0, 1), ...of('world.sqlite').slice(0, 1), wal[Math.floor(wal.length / 2)]!];
  });
  t.diagnostic(JSON.stringify(tally));
  assert.equal(tally['tried'], 3);
  assert.ok((tally['refused'] ?? 0) >= 1);
});
