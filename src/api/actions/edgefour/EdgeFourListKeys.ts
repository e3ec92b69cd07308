import { list, object, optional, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { EdgeFourKey, shownKey } from '../../models/EdgeFourKey.ts';

export const EdgeFourListKeys = action({
  summary: 'List the key pairs of the account. Secrets are never shown.',
  access: 'read',
  touches: 'account',
  service: 'edgefour',
  request: {
    Offset: optional(unsigned('Skip this many; 0 by default.')),
    Limit: optional(unsigned('At most this many; 20 by default.', { max: 1000 })),
  },
  response: {
    TotalCount: unsigned('How many there are.'),
    Keys: list(object(EdgeFourKey, 'A key pair.'), 'The key pairs, in order of their SecretId.'),
  },
  errors: [],
  example: {
    title: 'List the keys',
    request: {},
    response: {
      TotalCount: 1,
      Keys: [
        {
          SecretId: 'AKID0qG3mYc1sVnTzK5dWb7RrXhJp2LfE8a9',
          User: 'root',
          Policies: [],
          CreateTime: '2026-01-31T08:00:00Z',
          ExpireTime: '',
        },
      ],
    },
  },
  handle(tx, { Offset = 0, Limit = 20 }) {
    const mine = tx.list(keys.keyPairs()).filter(({ value }) => value.account === tx.caller.account);
    return {
      TotalCount: mine.length,
      Keys: mine.slice(Offset, Offset + Limit).map(({ value }) => shownKey(value)),
    };
  },
});
