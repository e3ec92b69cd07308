/**
 * Who calls: looks the key up and checks the time window, then the signature and the token, in this order (wire). Keys are
 * read from the store on every call, so a revoked key is dead at once. Two steps of the pipeline, because the first needs
 * no body: a refused call is refused before a big body is read.
 */
import { Fault } from '../../faults/fault.ts';
import { keys } from '../../store/records.ts';
import type { KeyPair } from '../../domain/account/account.ts';
import type { ApiContext, Call } from '../call.ts';
import { equalText } from '../signature/signed.ts';

/** limit: clock skew the cloud allows; spec section 1.2. */
const WINDOW_SECONDS = 300;

export async function identify(call: Call, api: ApiContext): Promise<void> {
  const { claim, timestamp } = call.message;
  if (!/^[\x21-\x7e]{1,128}$/.test(claim.secretId)) throw new Fault('AuthFailure.InvalidSecretId');
  const stored = await api.store.read((view) => view.get(keys.keyPair(claim.secretId)));
  if (!stored) throw new Fault('AuthFailure.SecretIdNotFound');
  call.keyPair = stored.value as KeyPair;
  if (Math.abs(api.around.clock.now() / 1000 - timestamp) > WINDOW_SECONDS)
    throw new Fault('AuthFailure.SignatureExpire');
}

export function verify(call: Call, api: ApiContext): void {
  const { claim, token, client } = call.message;
  const { keyPair: pair } = call;
  if (!claim.holds(pair.secretKey)) throw new Fault('AuthFailure.SignatureFailure');
  if (!equalText(token, pair.token ?? '')) throw new Fault('AuthFailure.TokenFailure');
  if (pair.expiresAt !== undefined && api.around.clock.now() >= pair.expiresAt)
    throw new Fault('AuthFailure.TokenFailure');
  call.caller = { account: pair.account, user: pair.user, secretId: pair.secretId, client };
}
