/** `edgefour key`: key pairs of users, beside the root pair. */
import { EdgeFourCreateKey } from '../../api/actions/edgefour/EdgeFourCreateKey.ts';
import { EdgeFourListKeys } from '../../api/actions/edgefour/EdgeFourListKeys.ts';
import { EdgeFourRevokeKey } from '../../api/actions/edgefour/EdgeFourRevokeKey.ts';
import { numberFrom, verbCommand } from '../verbs.ts';

export const command = verbCommand(
  'key',
  'Make, list and revoke key pairs.',
  {
    policy: { value: 'NAME', help: 'create: what the user may do; repeat for more than one.' },
    temporary: { help: 'create: an STS key, which comes with a token.' },
    seconds: { value: 'N', help: 'create: the life of a temporary key.' },
  },
  {
    create: [
      'EdgeFourCreateKey',
      {
        usage: '<User> [--policy NAME …] [--temporary [--seconds N]]',
        words: [1, 1],
        action: EdgeFourCreateKey,
        fields({ words: [User], all, flag }) {
          const seconds = numberFrom('seconds', flag('seconds'));
          return {
            User,
            ...(all('policy').length > 0 && { Policies: all('policy') }),
            ...(flag('temporary') !== undefined && { Temporary: true }),
            ...(seconds !== undefined && { ExpiresSeconds: seconds }),
          };
        },
      },
    ],
    list: [
      'EdgeFourListKeys',
      { usage: '', words: [0, 0], action: EdgeFourListKeys, fields: () => ({ Limit: 1_000 }) },
    ],
    revoke: [
      'EdgeFourRevokeKey',
      {
        usage: '<SecretId>',
        words: [1, 1],
        action: EdgeFourRevokeKey,
        fields: ({ words: [SecretId] }) => ({ SecretId }),
      },
    ],
  },
);
