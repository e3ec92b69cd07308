/**
 * What a caller may hand on: no right and no day more than it has. Root has everything. Called by the actions that make
 * keys and policies; what it reads guards the commit.
 */
import type { PolicyDocument } from '../../domain/account/account.ts';
import { beyond } from '../../domain/account/grant.ts';
import { keys } from '../../store/records.ts';
import type { Reads } from './lookups.ts';

/** The rights in the documents that the caller lacks, as a person reads them; undefined where there are none. */
export function excessOf(tx: Reads, documents: readonly PolicyDocument[]): string | undefined {
  const { account, user, secretId } = tx.caller;
  if (user === 'root') return undefined;
  const names = tx.get(keys.keyPair(secretId))?.policies ?? [];
  const own = names.flatMap((name) => tx.get(keys.policy(account, name))?.document ?? []);
  return beyond(documents, own, account);
}

/** A temporary key makes none that outlives it. */
export function lifeExcess(tx: Reads, ms: number): string | undefined {
  const { user, secretId } = tx.caller;
  const ends = user === 'root' ? undefined : tx.get(keys.keyPair(secretId))?.expiresAt;
  return ends === undefined || tx.now + ms <= ends ? undefined : 'its key is temporary and would end first';
}
