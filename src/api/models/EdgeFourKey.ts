/** A key pair as the API shows it: never its secret. */
import type { KeyPair } from '../../domain/account/account.ts';
import { type Fields, type Infer, list, string } from '../../shape/shape.ts';
import { timeText } from '../../shape/time.ts';

export const EdgeFourKey = {
  SecretId: string('The public half, which names the key.'),
  User: string('The user the key belongs to.'),
  Policies: list(string('Policy name.'), 'What the user may do; `root` may do everything.'),
  CreateTime: string('When it was made.'),
  ExpireTime: string('When a temporary key ends; empty for a lasting one.'),
} as const satisfies Fields;

export function shownKey(pair: KeyPair): Infer<typeof EdgeFourKey> {
  return {
    SecretId: pair.secretId,
    User: pair.user,
    Policies: [...pair.policies],
    CreateTime: timeText(pair.createdAt),
    ExpireTime: pair.expiresAt === undefined ? '' : timeText(pair.expiresAt),
  };
}
