/**
 * An assembler for eBPF, as small as our programs need: an instruction is an object, a program a list of them and of
 * labels, assemble() turns it into the kernel's eight bytes each. Pure. It checks labels; the kernel checks the rest.
 */
export const R0 = 0;
export const R1 = 1;
export const R2 = 2;
export const R3 = 3;
export const R4 = 4;
export const R5 = 5;
export const R6 = 6;
export const R7 = 7;
export const R8 = 8;
export const R9 = 9;
/** The end of the stack, which grows down from it. */
export const R10 = 10;

interface Instruction {
  readonly code: number;
  readonly dst?: number;
  readonly src?: number;
  readonly offset?: number;
  readonly value?: number;
  /** A jump's target. */
  readonly to?: string;
  /** A 64-bit load takes two places. */
  readonly wide?: boolean;
}

/** A label is a line of its own: its name. */
export type Line = Instruction | string;

const SIZE = { byte: 0x10, half: 0x08, word: 0x00, double: 0x18 } as const;
type Size = keyof typeof SIZE;
const BPF_LDX_MEM = 0x61;
const BPF_STX_MEM = 0x63;
const BPF_ST_MEM = 0x62;
/** Adds to a double word in memory as one step, also while others do. */
const BPF_ATOMIC_ADD = 0xdb;
const BPF_PSEUDO_MAP_FD = 1;
const BPF_PSEUDO_MAP_VALUE = 2;
const JUMPS = { '==': 0x15, '>': 0x25, '>=': 0x35, '!=': 0x55, '<': 0xa5, '<=': 0xb5 } as const;
/** The operand is a register instead of a number. */
const BPF_X = 0x08;

export const move = (dst: number, src: number): Line => ({ code: 0xbf, dst, src });
export const set = (dst: number, value: number): Line => ({ code: 0xb7, dst, value });
export const add = (dst: number, value: number): Line => ({ code: 0x07, dst, value });
/** The lower 16 bits in network order. */
export const network16 = (dst: number): Line => ({ code: 0xdc, dst, value: 16 });
export const or = (dst: number, value: number): Line => ({ code: 0x47, dst, value });
export const and = (dst: number, value: number): Line => ({ code: 0x57, dst, value });
export const xor = (dst: number, value: number): Line => ({ code: 0xa7, dst, value });
export const shiftLeft = (dst: number, value: number): Line => ({ code: 0x67, dst, value });
export const shiftRight = (dst: number, value: number): Line => ({ code: 0x77, dst, value });
export const addRegister = (dst: number, src: number): Line => ({ code: 0x0f, dst, src });
export const addAtomically = (dst: number, offset: number, src: number): Line => ({
  code: BPF_ATOMIC_ADD,
  dst,
  src,
  offset,
});
export const load = (size: Size, dst: number, src: number, offset: number): Line => ({
  code: BPF_LDX_MEM | SIZE[size],
  dst,
  src,
  offset,
});
export const store = (size: Size, dst: number, offset: number, src: number): Line => ({
  code: BPF_STX_MEM | SIZE[size],
  dst,
  src,
  offset,
});
export const storeNumber = (size: Size, dst: number, offset: number, value: number): Line => ({
  code: BPF_ST_MEM | SIZE[size],
  dst,
  offset,
  value,
});
const wide =
  (src: number) =>
  (dst: number, fd: number): Line => ({ code: 0x18, dst, src, value: fd, wide: true });
export const map = wide(BPF_PSEUDO_MAP_FD);
/** The address of the one value of an array. */
export const mapValue = wide(BPF_PSEUDO_MAP_VALUE);
export const jump = (to: string): Line => ({ code: 0x05, to });
export const when = (dst: number, how: keyof typeof JUMPS, value: number, to: string): Line => ({
  code: JUMPS[how],
  dst,
  value,
  to,
});
export const whenRegister = (dst: number, how: keyof typeof JUMPS, src: number, to: string): Line => ({
  code: JUMPS[how] | BPF_X,
  dst,
  src,
  to,
});
export const call = (helper: number): Line => ({ code: 0x85, value: helper });
export const exit = (): Line => ({ code: 0x95 });

const BYTES = 8;

/** Throws where a label is missing or twice. */
export function assemble(lines: readonly Line[]): Uint8Array<ArrayBuffer> {
  const labels = new Map<string, number>();
  let places = 0;
  for (const line of lines) {
    if (typeof line !== 'string') places += line.wide ? 2 : 1;
    else if (labels.has(line)) throw new Error(`label ${line} twice`);
    else labels.set(line, places);
  }
  const view = new DataView(new ArrayBuffer(places * BYTES));
  let place = 0;
  for (const line of lines) {
    if (typeof line === 'string') continue;
    const { code, dst = 0, src = 0, offset = 0, value = 0, to, wide } = line;
    const at = place * BYTES;
    view.setUint8(at, code);
    view.setUint8(at + 1, dst | (src << 4));
    view.setInt16(at + 2, to === undefined ? offset : distance(labels, to, place), true);
    view.setInt32(at + 4, value, true);
    place += wide ? 2 : 1;
  }
  return new Uint8Array(view.buffer);
}

function distance(labels: ReadonlyMap<string, number>, to: string, from: number): number {
  const target = labels.get(to);
  if (target === undefined) throw new Error(`no label ${to}`);
  return target - from - 1;
}
