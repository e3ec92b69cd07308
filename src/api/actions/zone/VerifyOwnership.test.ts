import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER } from '../../../../test/world/actions.ts';

test('the domain of a zone is its account’s, and so is what is below it', async () => {
  await using world = await actionWorld();
  await world.call('CreateZone', { ZoneName: 'example.com', Type: 'partial', Area: 'overseas' });
  for (const Domain of ['example.com', 'WWW.Example.com'])
    assert.deepEqual(await world.call('VerifyOwnership', { Domain }), { Status: 'success', Result: '' });
  for (const Domain of ['com', 'notexample.com', 'example.org'])
    assert.equal((await world.refusal('VerifyOwnership', { Domain })).code, 'ResourceNotFound');
  const { code } = await world.refusal('VerifyOwnership', { Domain: 'example.com' }, STRANGER);
  assert.equal(code, 'ResourceNotFound');
});
