import { newKeyPair } from '../../../domain/account/new-key.ts';
import { boolean, integer, list, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { excessOf, lifeExcess } from '../../handling/grants.ts';
import { EdgeFourKey, shownKey } from '../../models/EdgeFourKey.ts';
import { NAME } from '../../models/EdgeFourPolicy.ts';

const DEFAULT_SECONDS = 7200;

export const EdgeFourCreateKey = action({
  summary: 'Create a key pair for a user. The secret is shown this once only.',
  access: 'write',
  touches: 'account',
  service: 'edgefour',
  request: {
    User: string('The user the key belongs to. `root` may do everything.', { pattern: NAME }),
    Policies: optional(list(string('Policy name.', { pattern: NAME }), 'What the user may do.', { max: 20 })),
    Temporary: optional(boolean('Make a temporary (STS) key: it comes with a token that every call must carry.')),
    ExpiresSeconds: optional(
      integer(`Life of a temporary key; ${DEFAULT_SECONDS} by default.`, { min: 1, max: 129_600 }),
    ),
  },
  response: {
    ...EdgeFourKey,
    SecretKey: string('The secret. Keep it: it cannot be shown again.'),
    Token: string('The token of a temporary key; empty otherwise.'),
  },
  errors: ['ResourceNotFound', 'UnauthorizedOperation.CamUnauthorized', 'InvalidParameterValue'],
  example: {
    title: 'Create a key that may only look',
    request: { User: 'dashboard', Policies: ['read-only'] },
    response: {
      SecretId: 'AKID0qG3mYc1sVnTzK5dWb7RrXhJp2LfE8a9',
      SecretKey: 'u4Nw8cQy1RkZ6tHb3XvMj0PgSd5LfTa7',
      Token: '',
      User: 'dashboard',
      Policies: ['read-only'],
      CreateTime: '2026-01-31T08:00:00Z',
      ExpireTime: '',
    },
  },
  handle(tx, { User, Policies = [], Temporary = false, ExpiresSeconds }) {
    const { account, user } = tx.caller;
    // A policy that allows making keys must not be a way to become root.
    if (User === 'root' && user !== 'root') {
      throw tx.refuse('UnauthorizedOperation.CamUnauthorized', 'Only root makes keys for root.');
    }
    if (ExpiresSeconds !== undefined && !Temporary) {
      throw tx.refuse('InvalidParameterValue', '`ExpiresSeconds` is for temporary keys; set `Temporary` too.');
    }
    const documents = Policies.map((name) => {
      const policy = tx.get(keys.policy(account, name));
      if (!policy) throw tx.refuse('ResourceNotFound', `There is no policy \`${name}\`; put it first.`);
      return policy.document;
    });
    const temporaryForMs = (ExpiresSeconds ?? DEFAULT_SECONDS) * 1000;
    const excess = excessOf(tx, documents) ?? lifeExcess(tx, Temporary ? temporaryForMs : Infinity);
    if (excess !== undefined)
      throw tx.refuse('UnauthorizedOperation.CamUnauthorized', `\`${user}\` can't give what it has not: ${excess}.`);
    const pair = newKeyPair(tx.around.rng, {
      account,
      user: User,
      policies: Policies,
      createdAt: tx.now,
      ...(Temporary && { temporaryForMs }),
    });
    tx.put(keys.keyPair(pair.secretId), pair);
    return { ...shownKey(pair), SecretKey: pair.secretKey, Token: pair.token ?? '' };
  },
});
