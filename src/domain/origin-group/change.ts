/**
 * An origin group as it will be, with the credentials that belong to it, or the fault. Pure; a change that changes
 * nothing returns what it was given. Called by api/actions/origin-group, which look after names and users.
 */
import { Fault } from '../../faults/fault.ts';
import type { EgressRule } from '../../lib/net/egress.ts';
import { THIS_WRITE } from '../stamp.ts';
import { type RecordDraft, settingsFault } from './check.ts';
import type { OriginGroup, OriginRecord, OriginSecrets } from './origin-group.ts';

/** limit: groups of one zone; a page of the list shows as many. */
export const MOST_GROUPS = 1_000;
/** limit: each rule on the group has all of them in its plan. */
export const MOST_RECORDS = 100;

interface Around {
  readonly egress: EgressRule;
  /** Milliseconds since 1970. */
  readonly now: number;
  newRecordId(): string;
}

type NewGroup = Pick<OriginGroup, 'id' | 'zone' | 'name' | 'type' | 'hostHeader'>;

interface GroupWithSecrets {
  readonly group: OriginGroup;
  readonly secrets: OriginSecrets;
}

export function createGroup(wish: NewGroup, drafts: readonly RecordDraft[], around: Around) {
  const fault = settingsFault(wish, drafts, around.egress);
  if (fault) return fault;
  const { records, secrets } = settle(drafts, [], around);
  const times = { createdAt: around.now, updatedAt: around.now };
  return { group: { ...wish, records, changed: THIS_WRITE, ...times }, secrets } satisfies GroupWithSecrets;
}

interface GroupChange extends Partial<Pick<OriginGroup, 'name' | 'type' | 'hostHeader'>> {
  /** All of them; those that are not sent go. */
  readonly records?: readonly RecordDraft[];
}

export function changeGroup(before: GroupWithSecrets, { records: drafts, ...to }: GroupChange, around: Around) {
  const { group, secrets } = before;
  const kept = group.records.map((record) => ({ ...record, parameters: secrets.parameters[record.id] ?? [] }));
  const wish = { ...group, ...to };
  const fault = settingsFault(wish, drafts ?? kept, around.egress);
  if (fault instanceof Fault) return fault;
  const settled = settle(drafts ?? kept, group.records, around);
  const next = { ...wish, records: settled.records };
  if (same(next, group) && same(settled.secrets, secrets)) return before;
  const isNews = next.type !== group.type || !same(next.records, group.records);
  const changed = isNews ? THIS_WRITE : group.changed;
  return { group: { ...next, changed, updatedAt: around.now }, secrets: settled.secrets } satisfies GroupWithSecrets;
}

/**
 * Records with their ids. One that names an id the group has keeps it, else one with the same host does, so that what is
 * known of an origin stays with it. wire: Terraform sends the ids of its state, and weight 0 for each record where its
 * user gave no weight; 0 for all of them is no weight at all.
 */
function settle(drafts: readonly RecordDraft[], before: readonly OriginRecord[], around: Around) {
  const isUnweighted = drafts.every(({ weight = 0 }) => weight === 0);
  const left = new Map(before.map((record) => [record.id, record.host]));
  const named = drafts.map(({ id = '' }) => (left.delete(id) ? id : undefined));
  const parameters: Record<string, NonNullable<RecordDraft['parameters']>> = {};
  const records = drafts.map((draft, i): OriginRecord => {
    const alike = named[i] ?? [...left].find(([, host]) => host === draft.host)?.[0];
    if (alike !== undefined) left.delete(alike);
    const id = alike ?? around.newRecordId();
    if (draft.private && draft.parameters) parameters[id] = draft.parameters;
    const { host, type, weight } = draft;
    return {
      id,
      host,
      type,
      ...(weight !== undefined && !isUnweighted && { weight }),
      ...(draft.private && { private: true }),
    };
  });
  return { records, secrets: { parameters } };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
