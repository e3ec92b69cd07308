/** Makes key pairs in the cloud's form. Pure but for the randomness it is given. */
import type { Rng } from '../../lib/rng.ts';
import type { KeyPair } from './account.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

interface NewKey {
  readonly account: string;
  readonly user: string;
  readonly policies: readonly string[];
  readonly createdAt: number;
  /** Makes it a temporary key: one with a token and an end. */
  readonly temporaryForMs?: number;
}

export function newKeyPair(rng: Rng, key: NewKey): KeyPair {
  const { temporaryForMs, ...rest } = key;
  const pair = { secretId: `AKID${letters(rng, 32)}`, secretKey: letters(rng, 32), ...rest };
  if (temporaryForMs === undefined) return pair;
  return { ...pair, token: letters(rng, 64), expiresAt: key.createdAt + temporaryForMs };
}

function letters(rng: Rng, length: number): string {
  return Array.from({ length }, () => ALPHABET[rng.below(ALPHABET.length)]).join('');
}
