/**
 * What handlers of origin groups share: the claim on a name, the group written together with its credentials, and all of it
 * deleted. What is allowed is decided in domain/origin-group; here it meets the records.
 */
import type { OriginGroup, OriginSecrets } from '../../domain/origin-group/origin-group.ts';
import { type Fault, refuse } from '../../faults/fault.ts';
import { keys } from '../../store/records.ts';
import type { Tx } from './transaction.ts';

type Writes = Pick<Tx, 'get' | 'put' | 'delete'>;

export const NO_SECRETS: OriginSecrets = { parameters: {} };

/** What a group is made with. */
export function groupTools({ around, now }: Pick<Tx, 'around' | 'now'>) {
  return { egress: around.egress, now, newRecordId: () => `record-${around.rng.uuid()}` };
}

/** Writes the group with what belongs to it; `before` is undefined for a new one. */
export function putGroup(
  tx: Writes,
  { group, secrets }: { readonly group: OriginGroup; readonly secrets: OriginSecrets },
  before?: OriginGroup,
): Fault<'InvalidParameter.OriginNameExists'> | undefined {
  const { id, zone, name } = group;
  if (name !== before?.name) {
    const holder = name === '' ? undefined : tx.get(keys.originGroupName(zone, name));
    if (holder) return refuse('InvalidParameter.OriginNameExists', `Origin group ${holder.id} is called ${name}.`);
    if (name !== '') tx.put(keys.originGroupName(zone, name), { id });
    if (before && before.name !== '') tx.delete(keys.originGroupName(zone, before.name));
  }
  const held = keys.originSecrets(zone, id);
  if (Object.keys(secrets.parameters).length > 0) tx.put(held, secrets);
  else if (tx.get(held)) tx.delete(held);
  tx.put(keys.originGroup(zone, id), group);
  return undefined;
}

/** A group that nothing uses, or whose users go in the same commit. */
export function deleteGroup(tx: Writes, { zone, id, name }: OriginGroup): void {
  if (name !== '') tx.delete(keys.originGroupName(zone, name));
  tx.delete(keys.originSecrets(zone, id));
  tx.delete(keys.lastUse(id));
  tx.delete(keys.originGroup(zone, id));
}
