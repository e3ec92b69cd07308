/**
 * Whether the caller's CAM policies allow the action on what it touches. Root may do everything; other keys only what a
 * policy allows, and lists leave out what none does. A step of the pipeline.
 */
import { allowedZones, refusedResource } from '../../domain/account/permission.ts';
import { Fault } from '../../faults/fault.ts';
import type { Call } from '../call.ts';

export function permit(call: Call): void {
  const { account, user } = call.caller;
  if (user === 'root') return;
  const action = `${call.action.service ?? 'teo'}:${call.actionName}`;
  const touched = touchedBy(call);
  const wish = { action, account };
  const refused = touched === 'seen' ? undefined : refusedResource(call.policies, { ...wish, zones: touched });
  if (refused !== undefined)
    throw new Fault(
      'UnauthorizedOperation.CamUnauthorized',
      `No policy of \`${user}\` allows ${action} on ${refused}.`,
    );
  call.caller = { ...call.caller, sees: allowedZones(call.policies, wish) };
}

/** The zones, none for what belongs to the account alone, or `seen` where the handler leaves out what is not allowed. */
function touchedBy({ action: { touches }, request }: Call): readonly string[] | 'every' | 'seen' {
  if (typeof touches === 'object') return touches.zones(request as never);
  const { ZoneId } = request;
  if (touches === 'account') return [];
  if (touches === 'world') return 'every';
  return typeof ZoneId === 'string' ? [ZoneId] : 'seen';
}
