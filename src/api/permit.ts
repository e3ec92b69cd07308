/**
 * Whether the caller's CAM policies allow the action on what it touches. Root may do everything; anybody else only what a
 * policy allows, and lists leave out what none does. Policies are read on every call, so a change counts at once. A step
 * of the pipeline.
 */
import type { Policy } from '../domain/account/account.ts';
import { allowsSome, refusedResource } from '../domain/account/permission.ts';
import { Fault } from '../faults/fault.ts';
import { keys } from '../store/records.ts';
import type { ApiContext, Call } from './call.ts';

export async function permit(call: Call, api: ApiContext): Promise<void> {
  const { account, user } = call.caller;
  if (user === 'root') return;
  const documents = await api.store.read((view) =>
    call.keyPair.policies.flatMap((name) => {
      const stored = view.get(keys.policy(account, name));
      return stored ? [(stored.value as Policy).document] : [];
    }),
  );
  const action = `${call.action.service ?? 'teo'}:${call.actionName}`;
  const touched = touchedBy(call);
  const refused =
    touched === 'some'
      ? !allowsSome(documents, { action, account }) && 'anything'
      : refusedResource(documents, { action, account, zones: touched });
  if (refused)
    throw new Fault(
      'UnauthorizedOperation.CamUnauthorized',
      `No policy of \`${user}\` allows ${action} on ${refused}.`,
    );
  const sees = (zone: string): boolean => refusedResource(documents, { action, account, zones: [zone] }) === undefined;
  call.caller = { ...call.caller, sees };
}

/** The zones, none for what belongs to the account alone, or `some` where the handler leaves out what is not allowed. */
function touchedBy({ action: { touches }, request }: Call): readonly string[] | 'every' | 'some' {
  if (typeof touches === 'object') return touches.zones(request as never);
  const { ZoneId } = request;
  if (touches === 'account') return [];
  if (touches === 'world') return 'every';
  return typeof ZoneId === 'string' ? [ZoneId] : 'some';
}
