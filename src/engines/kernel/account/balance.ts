/**
 * Whether every connection is accounted for. Of those of a rule whose end is told (TOLD in marks.ts), the kernel counts how
 * many there were; so many are alive, of so many the end was heard, and the rest is lost: the events about them found the
 * buffer full, or nobody there. So always: connections = records + not in the sample + lost + alive. Pure.
 */
import { COLUMN } from './counter-file.ts';
import type { Flow } from '../../../linux/netlink/conntrack.ts';
import { indexOf, isTold } from '../table/marks.ts';
import type { KernelRule, RuleSet } from '../rules.ts';

/** One whose end was told of has been heard. */
export function close({ row }: KernelRule): void {
  row[COLUMN.closed] = (row[COLUMN.closed] ?? 0) + 1;
}

/** The records of all that are closed are written. */
export function confirmEnds({ row }: KernelRule): void {
  row[COLUMN.written] = row[COLUMN.closed] ?? 0;
}

/** Those that are not will never be; so they are missing, and the next audits count them as lost. */
export function takeBackEnds({ row }: KernelRule): void {
  row[COLUMN.closed] = row[COLUMN.written] ?? 0;
}

/** order: while no record waits to be written. */
function setClosed(rule: KernelRule, closed: number): void {
  rule.row[COLUMN.closed] = closed;
  confirmEnds(rule);
}

/** The counter of those whose end is told began anew at 0; those that were alive then are not in it, and will be heard of. */
export function counterRestarted(rule: KernelRule, before: number): void {
  setClosed(rule, (rule.row[COLUMN.closed] ?? 0) - before);
}

/**
 * After `told` was read, then everything that lives, then everything that was to be heard: in this order nothing that is
 * on its way can seem lost, but for the few microseconds that the kernel takes to enter or to remove a connection. So what
 * counts as lost must have been missing the last time too. `alive`: those whose end will be told.
 */
export function audit(rule: KernelRule, alive: number): void {
  const { audited } = rule;
  const [told, missing] = [toldOf(rule), missingOf(rule, alive)];
  const lost = Math.max(0, Math.min(missing, audited.missing));
  writeOff(rule, lost);
  // More were heard of than there were, and nothing has begun or ended since: two engines have heard of the same.
  const isStill = audited.told === told && audited.alive === alive && audited.missing === missing;
  if (missing < 0 && isStill) setClosed(rule, told - alive);
  rule.audited = { told, alive, missing: missing - lost };
}

/** Of a rule whose last connection is gone. */
export function closeAccount(rule: KernelRule): void {
  writeOff(rule, Math.max(0, missingOf(rule, 0)));
}

/** What the table has counted before this engine began is not this engine's. `alive`: as above. */
export function forget(rule: KernelRule, alive: number): void {
  const { counted, row } = rule;
  Object.assign(counted, { connections: 0, bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 });
  delete counted.dropped['no-origin'];
  counted.unrecorded.sampled = 0;
  row[COLUMN.beyond] = 0;
  setClosed(rule, toldOf(rule) - alive);
}

/** The same of all rules. `flows`: those that live. */
export function startAllAnew({ rules, at }: Pick<RuleSet, 'rules' | 'at'>, flows: readonly Flow[]): void {
  const alive = Map.groupBy(
    flows.filter(({ mark }) => isTold(mark)),
    ({ mark }) => at(indexOf(mark)),
  );
  for (const rule of rules.values()) forget(rule, alive.get(rule)?.length ?? 0);
}

function toldOf({ rows }: KernelRule): number {
  return rows.values().reduce((sum, row) => sum + (row[COLUMN.told] ?? 0), 0);
}

function missingOf(rule: KernelRule, alive: number): number {
  return toldOf(rule) - (rule.row[COLUMN.closed] ?? 0) - alive;
}

function writeOff(rule: KernelRule, lost: number): void {
  setClosed(rule, (rule.row[COLUMN.closed] ?? 0) + lost);
  rule.counted.unrecorded.lost += lost;
}
