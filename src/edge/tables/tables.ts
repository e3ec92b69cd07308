/**
 * Whose the tables in the kernel are, this edge's among them: the kernel engine's and the guard's, which outlive their
 * process; a network namespace has one of each, for all edges in it. An edge that dies leaves its tables to the next edge;
 * those of an edge that lives are its own. Where a table holds a place and can't be removed, the rule of that place is told
 * why, with the command that helps. The agent makes one; the kernel engine's factory, the guard and the
 * reconciler ask it. It writes no table.
 */
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Netlink } from '../../linux/netlink/socket.ts';
import { mayChangeNetwork } from '../../linux/nft/net-admin.ts';
import { deleteTable, isTable, listTables, makeLivingTable, ownersOf } from '../../linux/nft/whole-tables.ts';
import type { Rng } from '../../lib/rng.ts';
import type { Log } from '../../observe/log.ts';
import { GUARD_NAME } from '../guard/layout.ts';
import { type Claim, KERNEL_TABLE, type TableOwner, type Whose } from '../../engines/table-owner.ts';
import { occupiedPort } from '../../engines/kernel/occupied.ts';
import { makeId, ownerOfOldName, readId } from './identity.ts';
import { KernelMarks, type Place } from './kernel-marks.ts';

interface Marks {
  /** The table will hold the rule. */
  note(table: string, place: Place): void;
  /** It no longer does. */
  drop(table: string, id: string): void;
  /** It holds no other rule. */
  keep(table: string, isKept: (id: string) => boolean): void;
}

export interface Tables extends TableOwner {
  /** Why a rule at this place can't be served beside the tables in the kernel; those of an edge that died are removed. */
  inTheWay(place: Place): string | undefined;
  /** Which rules each table holds, by those that write it. */
  readonly marks: Marks;
  /** Rules that a table holds which this edge can't change, each with what to do. */
  leftovers(): readonly { readonly id: string; readonly reason: string }[];
  readonly alarms: readonly string[];
  /** Another process takes over: this one no longer counts as living. `resume`: it does not. */
  rest(): void;
  resume(): void;
  /** `isSucceeded`: the next process marks the tables in the kernel. */
  close(isSucceeded: boolean): void;
}

interface TablesOptions {
  readonly dataDir: string;
  /** The process before this one lives still, and has the same id. */
  readonly isSuccessor: boolean;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

const OURS = [KERNEL_TABLE, GUARD_NAME] as const;
/** Named after the edge and its process. */
const LIVING = 'edgefour_alive_';
const marksPath = (dataDir: string): string => join(dataDir, 'edge', 'kernel-left');
const idPath = (dataDir: string): string => join(dataDir, 'edge', 'kernel-owner');
/** limit: a process that was killed takes that long at most to be gone. */
const DYING_MS = 2_000;
const LOOK_MS = 20;
const NEEDS_ADMIN = 'CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_ADMIN in the unit, or root)';

interface Kernel {
  readonly asking: Netlink;
  readonly open: () => Netlink;
}

async function openKernel(): Promise<Kernel | undefined> {
  if (!mayChangeNetwork()) return undefined;
  const loaded = await import('../../linux/netlink/socket.ts').catch(() => undefined);
  return loaded && { asking: new loaded.Netlink(), open: () => new loaded.Netlink() };
}

export async function openTables(options: TablesOptions): Promise<Tables> {
  const { dataDir, isSuccessor, clock, rng, log } = options;
  const marks = new KernelMarks(marksPath(dataDir));
  const kernel = await openKernel();
  if (!kernel) return withoutKernel(marks);
  const path = idPath(dataDir);
  let id = readId(path) ?? makeId(path, rng);
  const end = clock.monotonic() + DYING_MS;
  while (!isSuccessor && livingOf(kernel, id) !== undefined && clock.monotonic() < end) await clock.sleep(LOOK_MS);
  // Two folders, one id: this one is a copy, or the other is.
  if (!isSuccessor && livingOf(kernel, id) !== undefined) id = makeId(path, rng);
  for (const table of OURS) if (!isTable(kernel.asking, table)) marks.keep(table, () => false);
  return withKernel(kernel, { id, dataDir, marks, log });
}

/** How a person finds the edge of this id that lives: by its process. */
function livingOf({ asking }: Kernel, id: string): string | undefined {
  const name = listTables(asking).find(({ name }) => name.startsWith(`${LIVING}${id}_`))?.name;
  return name === undefined ? undefined : `pid ${name.slice(name.lastIndexOf('_') + 1)}`;
}

function whoseIs(kernel: Kernel, table: string, id: string, dataDir: string): Whose {
  const { asking } = kernel;
  if (!isTable(asking, table)) return 'nobody';
  const owners = ownersOf(asking, table);
  const living = owners.filter((owner) => owner !== id).map((owner) => livingOf(kernel, owner));
  const other = living.find((one) => one !== undefined);
  if (other !== undefined) return { living: other };
  if (owners.length > 0) return owners.includes(id) ? 'ours' : 'abandoned';
  const comment = listTables(asking).find(({ name }) => name === table)?.comment ?? '';
  const owner = ownerOfOldName(comment, dataDir);
  return owner === 'living' ? { living: comment || 'it has no name' } : owner;
}

/** For doctor: whose each table is, and what an edge that may not look would say. Changes nothing. */
export async function lookAtTables(
  dataDir: string,
): Promise<{ readonly found: readonly { readonly table: string; readonly whose: Whose }[]; readonly left?: string }> {
  const kernel = await openKernel();
  if (!kernel) {
    const [left] = withoutKernel(new KernelMarks(marksPath(dataDir))).alarms;
    return { found: [], ...(left !== undefined && { left }) };
  }
  const id = readId(idPath(dataDir)) ?? '';
  const found = OURS.map((table) => ({ table, whose: whoseIs(kernel, table, id, dataDir) }));
  kernel.asking.close();
  return { found };
}

interface Own {
  readonly id: string;
  readonly dataDir: string;
  readonly marks: KernelMarks;
  readonly log: Log;
}

function withKernel(kernel: Kernel, { id, dataDir, marks, log }: Own): Tables {
  const { asking } = kernel;
  const claimed = new Set<string>();
  /** While it is open this edge lives, for the others. */
  let life: Netlink | undefined;

  function live(): void {
    if (life) return;
    life = kernel.open();
    const code = makeLivingTable(life, `${LIVING}${id}_${process.pid}`);
    if (code !== 0) log.warn('other edges on this machine cannot see that this one lives', { errno: -code });
  }

  function die(): void {
    life?.close();
    life = undefined;
  }

  const whose = (table: string): Whose => whoseIs(kernel, table, id, dataDir);

  function remove(table: string): string {
    if (!isTable(asking, table)) return '';
    const code = deleteTable(asking, table);
    if (code === 0) marks.keep(table, () => false);
    return code === 0 ? '' : `it cannot be removed (errno ${-code}): nft delete table inet ${table}`;
  }

  return {
    id,
    whose,
    claim(table) {
      live();
      const found = whose(table);
      if (typeof found === 'object') return refused(`the table inet ${table} ${ofAnother(found.living)}`);
      claimed.add(table);
      const former = ownersOf(asking, table).filter((owner) => owner !== id);
      return { why: '', isThere: found !== 'nobody', former };
    },
    remove,
    inTheWay(place) {
      if (claimed.has(KERNEL_TABLE) || !isTable(asking, KERNEL_TABLE)) return undefined;
      const found = whose(KERNEL_TABLE);
      if (found === 'nobody') return undefined;
      if (typeof found === 'object') {
        const at = occupiedPort(asking, place);
        return at && `${at} is held in the kernel: the table inet ${KERNEL_TABLE} ${ofAnother(found.living)}`;
      }
      log.warn('what a dead edge has left in the kernel is removed', { table: KERNEL_TABLE });
      const why = remove(KERNEL_TABLE);
      return why === '' ? undefined : `a dead edge has left the table inet ${KERNEL_TABLE} in the kernel: ${why}`;
    },
    marks,
    leftovers: () => [],
    alarms: [],
    rest: die,
    resume() {
      if (claimed.size > 0) live();
    },
    close(isSucceeded) {
      if (!isSucceeded) {
        for (const table of OURS) if (!isTable(asking, table)) marks.keep(table, () => false);
        marks.tidy();
      }
      die();
      asking.close();
    },
  };
}

const refused = (why: string): Claim => ({ why, isThere: false, former: [] });

function ofAnother(who: string): string {
  return `is of another edge that runs on this machine (${who}): end that one, or give this one a network namespace of its own`;
}

/** Nothing can be asked; all that is known is the mark of an earlier life. */
function withoutKernel(marks: KernelMarks): Tables {
  const isLeft = (): boolean => marks.isThere && !marks.all().next().done;
  const command = (): string => {
    const tables = new Set(
      [...marks.all()].flatMap(({ table }) => (table === GUARD_NAME ? [table, `${table}_stand_in`] : [table])),
    );
    const lines = [...tables].map((table) => `nft delete table inet ${table}`);
    return `as root: ${lines.join('; ')}; rm ${marks.path}`;
  };
  const reason = (): string =>
    `the kernel still does what an earlier life of this edge has told it, and without CAP_NET_ADMIN that cannot be changed; ${command()}`;
  return {
    id: '',
    whose: () => 'nobody',
    claim: () => refused(`they need Linux and ${NEEDS_ADMIN}`),
    remove: () => '',
    inTheWay(place) {
      if (!isLeft()) return undefined;
      return marks.all().some((line) => overlaps(line, place)) ? reason() : undefined;
    },
    // not: its own. They tell of an earlier life, until an edge that may look has looked.
    marks: { note() {}, drop() {}, keep() {} },
    leftovers: () => (isLeft() ? [...marks.all()].map(({ id }) => ({ id, reason: reason() })) : []),
    get alarms() {
      return isLeft() ? [reason()] : [];
    },
    rest() {},
    resume() {},
    close() {},
  };
}

function overlaps(a: Place, b: Place): boolean {
  return (
    a.protocol === b.protocol &&
    a.entries.some((entry) => b.entries.includes(entry)) &&
    a.ports.some((one) => b.ports.some(({ from, to }) => one.from <= to && from <= one.to))
  );
}
