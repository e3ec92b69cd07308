import { string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';

export const EdgeFourRevokeKey = action({
  summary: 'Revoke a key pair. It stops working with the next call.',
  access: 'write',
  touches: 'account',
  service: 'edgefour',
  request: { KeyId: string('The SecretId of the key pair to revoke.', { min: 1, max: 128 }) },
  response: {},
  errors: ['ResourceNotFound', 'OperationDenied', 'UnauthorizedOperation.CamUnauthorized'],
  example: { title: 'Revoke a key', request: { KeyId: 'AKID0qG3mYc1sVnTzK5dWb7RrXhJp2LfE8a9' }, response: {} },
  handle(tx, { KeyId }) {
    const pair = tx.get(keys.keyPair(KeyId));
    if (!pair || pair.account !== tx.caller.account) {
      throw tx.refuse('ResourceNotFound', `The account has no key \`${KeyId}\`.`);
    }
    if (pair.user === 'root' && tx.caller.user !== 'root') {
      throw tx.refuse('UnauthorizedOperation.CamUnauthorized', 'Only root revokes keys of root.');
    }
    // So there is always one key left to make others with.
    if (KeyId === tx.caller.secretId) {
      throw tx.refuse('OperationDenied', 'A key cannot revoke itself; call with another one.');
    }
    tx.delete(keys.keyPair(KeyId));
    return {};
  },
});
