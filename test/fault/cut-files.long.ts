/** Every cut of cut-files.ts: some minutes. `npm run cut`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutCampaign } from './cut-files.ts';

test('each file cut at each 4 KiB', { timeout: 7_200_000 }, async (t) => {
  const tally = await cutCampaign((cuts) => cuts);
  t.diagnostic(JSON.stringify(tally));
  assert.ok((tally['tried'] ?? 0) > 30);
});
