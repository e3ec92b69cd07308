import { string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { NAME } from '../../models/EdgeFourPolicy.ts';

export const EdgeFourDeletePolicy = action({
  summary: 'Delete a CAM policy that no key names any more.',
  access: 'write',
  touches: 'account',
  service: 'edgefour',
  request: { Name: string('Name of the policy.', { pattern: NAME }) },
  response: {},
  errors: ['ResourceNotFound', 'ResourceInUse'],
  example: { title: 'Delete a policy', request: { Name: 'read-only' }, response: {} },
  handle(tx, { Name }) {
    const { account } = tx.caller;
    const key = keys.policy(account, Name);
    if (!tx.get(key)) throw tx.refuse('ResourceNotFound', `There is no policy \`${Name}\`.`);
    const user = tx
      .list(keys.keyPairs())
      .find(({ value }) => value.account === account && value.policies.includes(Name));
    if (user) throw tx.refuse('ResourceInUse', `The key \`${user.value.secretId}\` names it; revoke that first.`);
    tx.delete(key);
    return {};
  },
});
