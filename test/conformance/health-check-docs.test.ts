/** The checks that docs/how-to/health-checks.md offers to be copied: each is taken as it is written, and every kind is there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECK_TYPES } from '../../src/domain/load-balancer/health-checker.ts';
import { actionWorld, type RequestOf, ZONE } from '../world/actions.ts';
import { putGroup } from '../world/groups.ts';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'how-to', 'health-checks.md');
type Checker = NonNullable<RequestOf<'EdgeFourSetHealthCheck'>['Checker']>;

test('each check of the how-to is taken as it is written', async () => {
  const texts = [...readFileSync(PAGE, 'utf8').matchAll(/\{"Type":[^\n]*?\}(?=['\n])/g)].map(([text]) => text);
  const checkers = texts.map((text) => JSON.parse(text) as Checker);
  const kinds = CHECK_TYPES.filter((type) => type !== 'NoCheck');
  assert.deepEqual(new Set(checkers.map(({ Type }) => Type)), new Set(kinds));
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.8']);
  for (const Checker of checkers)
    await world.call('EdgeFourSetHealthCheck', { ZoneId: ZONE, OriginGroupId: 'og-1', Checker });
});
