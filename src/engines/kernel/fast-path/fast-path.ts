/**
 * The fast path: packets of established connections leave as soon as they have come, past routing, conntrack and every
 * table (carry.ts and learn.ts say how, docs/decisions/fast-path.md why). This file makes its maps, puts its programs on every
 * Ethernet interface, and reads what was carried. It lives as long as this process: without it packets go through the
 * kernel as they did before. It refuses to decide which packets may: the table says so (table.ts, `fast`).
 */
import { kernelTime } from '../../../lib/clock.ts';
import type { Netlink } from '../../../linux/netlink/socket.ts';
import { getGeneration, readGeneration } from '../../../linux/nft/elements.ts';
import type { Flow, Tuple } from '../../../linux/netlink/conntrack.ts';
import { indexOf, isTold } from '../table/marks.ts';
import { ENTRY, KEY, keyOf, readTotal, TOTAL, type Total, totalsOf } from './layout.ts';
import { loadPrograms, type Programs } from './programs.ts';
import { type Served, serveInterfaces } from './served.ts';

/** limit: new interfaces are seen so much later, and looking takes longer the more there are. */
const INTERFACES_MS = 2_000;
/** limit: looking through all that is remembered takes a fiftieth of one core at most. */
const SWEEP = { everyMs: 10_000, share: 50 } as const;
/** Beyond what conntrack remembers, because its time begins with the last packet that went there. */
const GRACE_SECONDS = 60;
/** Of one whose end nobody is told of. */
const ENDED_SECONDS = 10;

/** Packets and whole bytes, IP headers included, since the last time. */
export type Carried = (total: Total, packets: number, octets: number) => void;

export interface FastPath {
  /** To be called often: whatever has changed in any table is looked at anew, and new interfaces are served. */
  attend(): void;
  /** The next packet of every connection goes the long way once. */
  forget(): void;
  /** With what the fast path has carried of it. `isOver`: there will be no more, and it may be forgotten. */
  add(flow: Flow, isOver: boolean): Flow;
  grown(carried: Carried): void;
  /** What there is about an index before it is another rule's. */
  release(index: number, carried: Carried): void;
  /** Forgets what is no more. `idleSeconds`: of the rule with this index; undefined: there is none. */
  sweep(idleSeconds: (index: number) => number | undefined): void;
  close(): void;
}

export const NO_FAST_PATH: FastPath = {
  attend() {},
  forget() {},
  add: (flow) => flow,
  grown() {},
  release() {},
  sweep() {},
  close() {},
};

/** Throws with a reason where it can't be had. `asking`: of the engine, which closes it. */
export function openFastPath(asking: Pick<Netlink, 'get'>): FastPath {
  const programs = loadPrograms();
  try {
    return createFastPath({ programs, served: serveInterfaces(programs), asking, now: kernelTime });
  } catch (error) {
    programs.close();
    throw error;
  }
}

interface FastPathParts {
  readonly programs: Programs;
  readonly served: Served;
  readonly asking: Pick<Netlink, 'get'>;
  /** Nanoseconds, by the clock of the programs. */
  readonly now: () => number;
}

export function createFastPath({ programs, served, asking, now }: FastPathParts): FastPath {
  const { flows, totals } = programs;
  /** As last read, by key. */
  const counted = new Map<number, { readonly packets: number; readonly octets: number }>();
  let number = 0;
  let ruleset = 0;
  let nextLook = 0;
  let nextSweep = 0;
  let isClosed = false;

  function forget(): void {
    number = (number + 1) >>> 0;
    programs.generation.set(number);
  }

  function grow(key: number, view: DataView, value: number, carried: Carried): void {
    let packets = 0;
    let octets = 0;
    for (let copy = 0; copy < totals.copies; copy++) {
      packets += readDouble(view, value + copy * TOTAL.bytes + TOTAL.packets);
      octets += readDouble(view, value + copy * TOTAL.bytes + TOTAL.octets);
    }
    const before = counted.get(key) ?? NOTHING;
    if (packets === before.packets) return;
    counted.set(key, { packets, octets });
    carried(readTotal(key), packets - before.packets, octets - before.octets);
  }

  function carriedOf(flow: Flow, tuple: Tuple, isOver: boolean): { packets: number; octets: number } {
    const key = keyOf(flow, tuple);
    const sum = { packets: 0, octets: 0 };
    const seen = (view: DataView, _: number, value: number): void => {
      sum.packets = readDouble(view, value + ENTRY.packets);
      sum.octets = readDouble(view, value + ENTRY.octets);
    };
    if (key && isOver) flows.take(key, seen);
    else if (key) flows.get(key, seen);
    return sum;
  }

  return {
    attend() {
      if (isClosed) return;
      let current = ruleset;
      asking.get(getGeneration(), (view, body, end) => (current = readGeneration(view, body, end)));
      if (current !== ruleset) forget();
      ruleset = current;
      if (now() < nextLook) return;
      nextLook = now() + INTERFACES_MS * 1e6;
      served.look();
    },
    forget,
    add(flow, isOver) {
      const into = carriedOf(flow, flow.original, isOver);
      const out = carriedOf(flow, flow.reply, isOver);
      return {
        ...flow,
        packetsIn: flow.packetsIn + into.packets,
        bytesIn: flow.bytesIn + into.octets,
        packetsOut: flow.packetsOut + out.packets,
        bytesOut: flow.bytesOut + out.octets,
      };
    },
    grown: (carried) => totals.each((view, key, value) => grow(view.getUint32(key, true), view, value, carried)),
    release(index, carried) {
      for (const key of totalsOf(index)) {
        const bytes = new Uint8Array(Uint32Array.of(key).buffer);
        totals.get(bytes, (view, _, value) => grow(key, view, value, carried));
        totals.delete(bytes);
        counted.delete(key);
      }
    },
    sweep(idleSeconds) {
      const start = now();
      if (start < nextSweep) return;
      const old: Uint8Array[] = [];
      flows.each((view, key, value) => {
        const total = view.getUint32(value + ENTRY.total, true);
        const idle = idleSeconds(indexOf(total));
        const hasEnded = view.getUint32(value + ENTRY.ended, true) !== 0 && !isTold(total);
        const seconds = idle === undefined ? 0 : hasEnded ? ENDED_SECONDS : idle + GRACE_SECONDS;
        if (start - readDouble(view, value + ENTRY.until) > seconds * 1e9)
          old.push(new Uint8Array(view.buffer, key, KEY.bytes).slice());
      });
      for (const key of old) flows.delete(key);
      nextSweep = start + Math.max(SWEEP.everyMs * 1e6, (now() - start) * SWEEP.share);
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      served.close();
      programs.close();
    },
  };
}

const NOTHING = { packets: 0, octets: 0 } as const;

/** limit: exact up to 2^53. */
function readDouble(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 4294967296;
}
