/**
 * The two programs with the maps that they share, in the kernel, not attached to anything yet. They and what was learned go
 * with the process, or with close().
 */
import {
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_TCX_EGRESS,
  BPF_TCX_INGRESS,
} from '../../../linux/ebpf/abi.ts';
import { createMap, loadProgram } from '../../../linux/ebpf/calls.ts';
import { Cell } from '../../../linux/ebpf/cell.ts';
import { HashMap, type HashShape } from '../../../linux/ebpf/hash-map.ts';
import { close, errnoName } from '../../../linux/ffi/libc.ts';
import { carryProgram } from './carry.ts';
import { ENTRY, KEY, SEEN, TOTAL } from './layout.ts';
import { learnProgram } from './learn.ts';

/** limit: two for each connection, 27 MB when all are taken. Those that find no room stay on the long way. */
const MOST_FLOWS = 131_072;
/** limit: two for each rule, or four; taken as they come. */
const MOST_TOTALS = 262_144;

export interface Programs {
  readonly flows: HashMap;
  readonly totals: HashMap;
  readonly generation: Cell;
  /** Descriptors. */
  readonly seen: number;
  readonly learn: number;
  readonly carry: number;
  close(): void;
}

/** Throws with a reason where the kernel refuses one of them. */
export function loadPrograms(): Programs {
  const cleanups: (() => void)[] = [];
  const cleanUp = (): void => cleanups.splice(0).forEach((one) => one());
  function keep(fd: number, what: string): number {
    if (fd < 0) throw new Error(`the kernel refuses ${what}: ${errnoName(fd)}`);
    cleanups.push(() => void close(fd));
    return fd;
  }
  function keepMap<Map extends { close(): void }>(map: Map): Map {
    cleanups.push(() => map.close());
    return map;
  }
  const hash = (shape: HashShape): HashMap => keepMap(new HashMap(shape));
  const load = (attachType: number, code: Uint8Array): number =>
    keep(loadProgram(BPF_PROG_TYPE_SCHED_CLS, attachType, code), 'a program');
  try {
    const flows = hash({ keyBytes: KEY.bytes, valueBytes: ENTRY.bytes, entries: MOST_FLOWS });
    const totals = hash({ keyBytes: 4, valueBytes: TOTAL.bytes, entries: MOST_TOTALS, perProcessor: true });
    const generation = keepMap(new Cell());
    const own = { type: BPF_MAP_TYPE_PERCPU_ARRAY, keySize: 4, valueSize: SEEN.bytes, entries: 1 };
    const seen = keep(createMap(own), 'a map');
    const maps = { flows: flows.fd, totals: totals.fd, seen, generation: generation.fd };
    const learn = load(BPF_TCX_EGRESS, learnProgram(maps));
    const carry = load(BPF_TCX_INGRESS, carryProgram(maps));
    return { flows, totals, seen, generation, learn, carry, close: cleanUp };
  } catch (error) {
    cleanUp();
    const { message } = error as Error;
    throw new Error(message.includes('EPERM') ? `${message} (it needs CAP_BPF)` : message, { cause: error });
  }
}
