/**
 * Whether the caller's CAM policies allow the action on the zones it names. Root may do everything; anybody else only
 * what a policy allows. Policies are read on every call, so a change counts at once. A step of the pipeline.
 */
import type { Policy } from '../domain/account/account.ts';
import { refusedResource } from '../domain/account/permission.ts';
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
  const refused = refusedResource(documents, { action, account, zones: zonesOf(call.request) });
  if (refused === undefined) return;
  throw new Fault('UnauthorizedOperation.CamUnauthorized', `No policy of \`${user}\` allows ${action} on ${refused}.`);
}

/** wire: an action names its zones in ZoneId, or in ZoneIds where it takes several. */
function zonesOf(request: Readonly<Record<string, unknown>>): string[] {
  const { ZoneId, ZoneIds } = request;
  const named: unknown[] = [ZoneId, ...(Array.isArray(ZoneIds) ? (ZoneIds as unknown[]) : [])];
  return named.filter((zone) => typeof zone === 'string');
}
