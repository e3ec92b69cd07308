/**
 * The account of one rule: whether the end of every connection is known. Of those whose end is told (TOLD in
 * table/marks.ts) the kernel counts how many there were; so many are alive, of so many the end was heard, and the rest is
 * lost: the events about them found the buffer full, or no process there. So always: connections = records + not in the sample +
 * lost + alive. Pure. counts.ts and recorder.ts write here, the monitor strikes the balance.
 */
import { createCounters, type LiveCounters } from '../../flow/counters.ts';

/**
 * Columns of a row. Counters are as the kernel gave them last; two columns each where bytes count too. `closed`: seen to
 * their end or lost; `written`: the same, but for those whose record is not in a file yet. `beyond`: new connections less
 * those whose end will be told and those that are known to be in no sample; for a moment too few, never too many.
 */
export const COLUMN = {
  fresh: 0,
  told: 1,
  refused: 2,
  closed: 3,
  seen4: 4,
  seen6: 8,
  written: 12,
  beyond: 13,
} as const;
export const ROW_WIDTH = 14;

export interface KernelCounters extends LiveCounters {
  /** Connections without a record: not in the sample, or ended without being heard of. */
  readonly unrecorded: { sampled: number; lost: number };
  fastPackets: number;
}

export function createKernelCounters(): KernelCounters {
  return { ...createCounters(), unrecorded: { sampled: 0, lost: 0 }, fastPackets: 0 };
}

export interface RuleAccount {
  readonly counted: KernelCounters;
  /** What the table's counters said last and how many ends were seen; of the rule's first index. */
  readonly row: Float64Array;
  /** By index. All but the first hold the table's counters alone. */
  readonly rows: Map<number, Float64Array>;
  /** What the last balance found. */
  found: { readonly told: number; readonly alive: number; readonly missing: number };
}

/** The end of a connection whose end is told was heard. */
export function countEnd({ row }: RuleAccount): void {
  row[COLUMN.closed] = (row[COLUMN.closed] ?? 0) + 1;
}

/** The records of all ends that were counted are written. */
export function confirmEnds({ row }: RuleAccount): void {
  row[COLUMN.written] = row[COLUMN.closed] ?? 0;
}

/** Records that are not written yet never will be: their connections are missing, and the next balances count them as lost. */
export function takeBackEnds({ row }: RuleAccount): void {
  row[COLUMN.closed] = row[COLUMN.written] ?? 0;
}

/** The counter of those whose end is told began anew at 0. Connections that were alive then are not in it, but their ends come. */
export function counterRestarted(account: RuleAccount, before: number): void {
  setClosed(account, (account.row[COLUMN.closed] ?? 0) - before);
}

/**
 * After `told` was read, then everything that lives, then every end that waited: in this order nothing that is on its way can
 * seem lost, but for the few microseconds that the kernel takes to enter or to remove a connection. So what counts as lost
 * must have been missing the last time too. `alive`: connections whose end will be told.
 */
export function balance(account: RuleAccount, alive: number): void {
  const { found } = account;
  const told = toldOf(account);
  const missing = missingOf(account, alive);
  const lost = Math.max(0, Math.min(missing, found.missing));
  writeOff(account, lost);
  // More ends than connections, and nothing has begun or ended since: two engines have heard of the same ends.
  const isStill = found.told === told && found.alive === alive && found.missing === missing;
  if (missing < 0 && isStill) setClosed(account, told - alive);
  account.found = { told, alive, missing: missing - lost };
}

/** The rule's last connection is gone. */
export function closeAccount(account: RuleAccount): void {
  writeOff(account, Math.max(0, missingOf(account, 0)));
}

/** What the table has counted until now is not this engine's. `alive`: as above. */
export function startAnew(account: RuleAccount, alive: number): void {
  const { counted, row } = account;
  Object.assign(counted, { connections: 0, bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 });
  delete counted.dropped['no-origin'];
  counted.unrecorded.sampled = 0;
  row[COLUMN.beyond] = 0;
  setClosed(account, toldOf(account) - alive);
}

/** order: while no record waits to be written. */
function setClosed(account: RuleAccount, closed: number): void {
  account.row[COLUMN.closed] = closed;
  confirmEnds(account);
}

function toldOf({ rows }: RuleAccount): number {
  return rows.values().reduce((sum, row) => sum + (row[COLUMN.told] ?? 0), 0);
}

function missingOf(account: RuleAccount, alive: number): number {
  return toldOf(account) - (account.row[COLUMN.closed] ?? 0) - alive;
}

function writeOff(account: RuleAccount, lost: number): void {
  setClosed(account, (account.row[COLUMN.closed] ?? 0) + lost);
  account.counted.unrecorded.lost += lost;
}
