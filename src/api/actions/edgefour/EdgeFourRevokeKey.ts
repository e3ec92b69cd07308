import { string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';

export const EdgeFourRevokeKey = action({
  summary: 'Revoke a key pair. It stops working with the next call.',
  access: 'write',
  service: 'edgefour',
  request: { SecretId: string('The public half of the key pair.', { min: 1, max: 128 }) },
  response: {},
  errors: ['ResourceNotFound', 'OperationDenied', 'UnauthorizedOperation.CamUnauthorized'],
  example: { title: 'Revoke a key', request: { SecretId: 'AKID0qG3mYc1sVnTzK5dWb7RrXhJp2LfE8a9' }, response: {} },
  handle(tx, { SecretId }) {
    const pair = tx.get(keys.keyPair(SecretId));
    if (!pair || pair.account !== tx.caller.account) {
      throw tx.refuse('ResourceNotFound', `The account has no key \`${SecretId}\`.`);
    }
    if (pair.user === 'root' && tx.caller.user !== 'root') {
      throw tx.refuse('UnauthorizedOperation.CamUnauthorized', 'Only root revokes keys of root.');
    }
    // So there is always one key left to make others with.
    if (SecretId === tx.caller.secretId) {
      throw tx.refuse('OperationDenied', 'A key cannot revoke itself; call with another one.');
    }
    tx.delete(keys.keyPair(SecretId));
    return {};
  },
});
