/** A2: 300 peers that send 10 MB slowly or never finish, from 300 addresses and from one, take little and shut nobody out. */
import assert from 'node:assert/strict';
import { platform } from 'node:os';
import { test } from 'node:test';
import { loneControl } from '../world/lone-control.ts';
import { bestOf, holdsUp, SECONDS, toll, withHogs } from './hogs-stage.ts';

const skip = platform() !== 'linux' && 'needs 127.0.0.0/8 and /proc, which Linux has';

for (const apart of [true, false]) {
  test(`300 peers from ${apart ? '300 addresses' : 'one address'}`, { skip }, async (t) => {
    await bestOf(async () => {
      await using control = await loneControl();
      const taken = await withHogs(control, apart, SECONDS);
      t.diagnostic(toll(taken));
      assert.ok((await control.metric('edgefour_budget_refusals_total{budget="unverified-bodies"}')) > 0);
      return () => holdsUp(taken);
    });
  });
}
