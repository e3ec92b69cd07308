/** `edgefour key`: key pairs of users, beside the root pair. */
import { EdgeFourCreateKey } from '../../api/actions/edgefour/EdgeFourCreateKey.ts';
import { EdgeFourListKeys } from '../../api/actions/edgefour/EdgeFourListKeys.ts';
import { EdgeFourRevokeKey } from '../../api/actions/edgefour/EdgeFourRevokeKey.ts';
import { numberFrom, verb, verbCommand } from '../client/verbs.ts';

const FLAGS = {
  policy: { value: 'NAME', help: 'create: what the user may do; repeat for more than one.' },
  temporary: { help: 'create: an STS key, which comes with a token.' },
  seconds: { value: 'N', help: 'create: the life of a temporary key.' },
};

export const command = verbCommand('key', 'Make, list and revoke key pairs.', FLAGS, {
  create: verb('EdgeFourCreateKey', EdgeFourCreateKey, {
    usage: '<User> [--policy NAME …] [--temporary [--seconds N]]',
    words: [1, 1],
    fields({ words: [User = ''], all, flag }) {
      const seconds = numberFrom('seconds', flag('seconds'));
      return {
        User,
        ...(all('policy').length > 0 && { Policies: [...all('policy')] }),
        ...(flag('temporary') !== undefined && { Temporary: true }),
        ...(seconds !== undefined && { ExpiresSeconds: seconds }),
      };
    },
  }),
  list: verb('EdgeFourListKeys', EdgeFourListKeys, { fields: () => ({ Limit: 1_000 }) }),
  revoke: verb('EdgeFourRevokeKey', EdgeFourRevokeKey, {
    usage: '<SecretId>',
    words: [1, 1],
    fields: ({ words: [KeyId = ''] }) => ({ KeyId }),
  }),
});
