/** Runs a loaded eBPF program on one packet, without an interface (BPF_PROG_TEST_RUN). Needs what loading it needs. */
import { ATTR_BYTES, pointer, SYS_BPF } from '../../src/linux/ebpf/calls.ts';
import { errnoName, mapPages, syscallWithMemory, unmap } from '../../src/linux/ffi/libc.ts';

const BPF_PROG_TEST_RUN = 10;
const TEST = { program: 0, answer: 1, inSize: 2, outSize: 3, in: 4, out: 6, contextSize: 10, context: 12 } as const;
/** struct __sk_buff, as far as it may be given. */
const [CONTEXT_BYTES, MARK, CAME_FROM, INTERFACE, SEGMENT] = [192, 8, 36, 40, 176];
const MOST = 4096;
const LOOPBACK = 1;

export interface Run {
  /** What the program said. */
  readonly answer: number;
  readonly frame: Uint8Array;
}

/** `segment`: of a packet that is cut on its way out. */
export function runProgram(program: number, frame: Uint8Array, given: { mark?: number; segment?: number } = {}): Run {
  const slab = mapPages(2 * MOST + CONTEXT_BYTES);
  if (typeof slab === 'number') throw new Error(errnoName(slab));
  try {
    const [bytes, view] = [new Uint8Array(slab.buffer), new DataView(slab.buffer, 2 * MOST)];
    bytes.set(frame);
    view.setUint32(MARK, given.mark ?? 0, true);
    view.setUint32(CAME_FROM, LOOPBACK, true);
    view.setUint32(INTERFACE, LOOPBACK, true);
    view.setUint32(SEGMENT, given.segment ?? 0, true);
    const attr = new Uint32Array(ATTR_BYTES >> 2);
    attr[TEST.program] = program;
    attr[TEST.inSize] = frame.length;
    attr[TEST.outSize] = MOST;
    attr[TEST.contextSize] = CONTEXT_BYTES;
    pointer(attr, TEST.in, slab.address);
    pointer(attr, TEST.out, slab.address + MOST);
    pointer(attr, TEST.context, slab.address + 2 * MOST);
    const result = syscallWithMemory(SYS_BPF, BPF_PROG_TEST_RUN, attr, ATTR_BYTES, 0);
    if (result < 0) throw new Error(`the program cannot be run: ${errnoName(result)}`);
    return { answer: (attr[TEST.answer] ?? 0) | 0, frame: bytes.slice(MOST, MOST + (attr[TEST.outSize] ?? 0)) };
  } finally {
    unmap(slab);
  }
}
