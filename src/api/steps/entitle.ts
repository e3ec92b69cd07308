/**
 * Whether the caller has any policy that could allow the action on some resource: asked before the body is parsed,
 * so that a key without rights costs no more than its signature. Policies are read here on every call, so a change counts at
 * once; permit.ts decides by them once the body is known. A step of the pipeline.
 */
import type { Policy } from '../../domain/account/account.ts';
import { allowsSome } from '../../domain/account/permission.ts';
import { Fault } from '../../faults/fault.ts';
import { keys } from '../../store/records.ts';
import type { ApiContext, Call } from '../call.ts';

export async function entitle(call: Call, api: ApiContext): Promise<void> {
  const { account, user } = call.caller;
  if (user === 'root') return;
  const action = `${call.action.service ?? 'teo'}:${call.actionName}`;
  call.policies = await api.store.read((view) =>
    call.keyPair.policies.flatMap((name) => {
      const stored = view.get(keys.policy(account, name));
      return stored ? [(stored.value as Policy).document] : [];
    }),
  );
  if (!allowsSome(call.policies, { action, account }))
    throw new Fault('UnauthorizedOperation.CamUnauthorized', `No policy of \`${user}\` allows ${action} on anything.`);
}
