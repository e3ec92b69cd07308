/** A short run of what store-crash.fault.ts does at length. */
import { describe, test } from 'node:test';
import { crashCampaign } from './store-crash.ts';

describe('a world in a file, killed and cut', { concurrency: true }, () => {
  for (const seed of [1, 2]) {
    test(`10 kills lose no answered commit and split none, however their files are cut (seed ${seed})`, () =>
      crashCampaign({ rounds: 10, images: 20, seed }));
  }
});
