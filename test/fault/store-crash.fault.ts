/** T34 at length: 200 kills, 2,000 cut images. `npm run fault`. */
import { test } from 'node:test';
import { crashCampaign } from './store-crash.ts';

for (let seed = 1; seed <= 10; seed++) {
  test(`20 kills lose no answered commit and split none, however their files are cut (seed ${seed})`, () =>
    crashCampaign({ rounds: 20, images: 200, seed: 100 + seed }));
}
