/**
 * What the engine has read of each rule's counters and how many ends it has seen: a row of numbers per index (balance.ts).
 * The rows lie in a file that is mapped, so they are as new as the last instruction of a process that was killed, and the
 * next one goes on from there. A file that is about another table (another boot, another network namespace, a table made
 * anew) is about nothing. Without a file the rows last as long as the process. Opened by open.ts.
 */
import { EDQUOT, EIO, ENOSPC } from '../../../linux/abi.ts';
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fallocate, mapShared, type Slab, unmap } from '../../../linux/ffi/libc.ts';
import { MOST_INDEX } from '../table/marks.ts';
import { ROW_WIDTH } from './balance.ts';

/** Row 0 is no rule's: it holds the title, and behind it the last batch of records (record-log.ts). */
const BATCH_AT = 8;
/** limit: 112 bytes × 65,536 rows are 7 MB, of which a file and the memory hold what was written. */
const BYTES = (MOST_INDEX + 1) * ROW_WIDTH * 8;
/** order: raise it with any change of the columns. */
const EDITION = 2;

export interface CounterFile {
  /** The rows are about the table that is there. */
  readonly isCurrent: boolean;
  row(index: number): Float64Array;
  /** Here record-log.ts notes what it is about to write. */
  readonly batch: Float64Array;
  /** The rows are about this table from now on. `handle`: what the kernel calls it. */
  begin(handle: number): void;
  close(): void;
}

export function openCounterFile(path: string | undefined, handle: number): CounterFile {
  const slab = path === undefined ? undefined : mapFile(path);
  const numbers = slab ? new Float64Array(slab.buffer) : new Float64Array(BYTES / 8);
  const isCurrent = slab !== undefined && handle > 0 && title(handle).every((number, i) => numbers[i] === number);
  if (!isCurrent) numbers.fill(0);
  return {
    isCurrent,
    row: (index) => numbers.subarray(index * ROW_WIDTH, (index + 1) * ROW_WIDTH),
    batch: numbers.subarray(BATCH_AT, BATCH_AT + 4),
    begin: (handle) => numbers.set(title(handle)),
    close: () => slab && unmap(slab),
  };
}

/** Which table of which network namespace of which boot. */
function title(handle: number): number[] {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().replaceAll('-', '');
  const namespace = Number(/\d+/.exec(readlinkSync('/proc/thread-self/ns/net'))?.[0]);
  return [EDITION, Number.parseInt(boot.slice(0, 12), 16), Number.parseInt(boot.slice(12, 24), 16), namespace, handle];
}

/**
 * `undefined` where the file can't be had: then nothing outlives the process. A file that was cut starts anew.
 * order: its room on the disk before it is mapped. A page that a full disk has no room for ends the process (SIGBUS).
 */
function mapFile(path: string): Slab | undefined {
  try {
    // not: recursive. Where nothing can be made, node's recursion does not end.
    if (!existsSync(dirname(path))) mkdirSync(dirname(path), { mode: 0o700 });
    const fd = openSync(path, 'a+', 0o600);
    try {
      if (fstatSync(fd).size !== BYTES) ftruncateSync(fd, 0);
      ftruncateSync(fd, BYTES);
      if ([-ENOSPC, -EDQUOT, -EIO].includes(fallocate(fd, 0, 0, BYTES))) return undefined;
      const slab = mapShared(fd, BYTES, 0);
      return typeof slab === 'number' ? undefined : slab;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
