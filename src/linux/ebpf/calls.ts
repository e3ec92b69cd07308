/**
 * bpf(2): maps, programs and links as descriptors, for callers with a program to attach (the uring engine's toa/ and steer/,
 * the kernel engine's fast-path/). Each answers a descriptor or 0, or minus the errno; what a program means is its own
 * file's business.
 */
import {
  BPF_BTF_LOAD,
  BPF_LINK_CREATE,
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_UPDATE_ELEM,
  BPF_PROG_LOAD,
} from './abi.ts';
import { mapPages, syscallWithMemory, unmap } from '../ffi/libc.ts';
import type { Slab } from '../ffi/libc.ts';

// asm-generic says 280, x86-64 has its own number.
export const SYS_BPF = process.arch === 'x64' ? 321 : 280;
export const ATTR_BYTES = 128;

/** Word offsets in union bpf_attr, by command. */
const MAP = { type: 0, keySize: 1, valueSize: 2, entries: 3, flags: 4, btf: 12, keyType: 13, valueType: 14 } as const;
export const ELEMENT = { map: 0, key: 2, value: 4 } as const;
const PROGRAM = { type: 0, count: 1, code: 2, license: 4, attachType: 17 } as const;
const BTF = { data: 0, size: 4 } as const;
const LINK = { program: 0, target: 1, attachType: 2 } as const;

interface MapShape {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly entries?: number;
  readonly flags?: number;
  /** Types of key and value in a description that loadTypes() has loaded. */
  readonly types?: { readonly btf: number; readonly key: number; readonly value: number };
}

export function createMap({ type, keySize, valueSize, entries = 0, flags = 0, types }: MapShape): number {
  const attr = words();
  attr[MAP.type] = type;
  attr[MAP.keySize] = keySize;
  attr[MAP.valueSize] = valueSize;
  attr[MAP.entries] = entries;
  attr[MAP.flags] = flags;
  if (types) {
    attr[MAP.btf] = types.btf;
    attr[MAP.keyType] = types.key;
    attr[MAP.valueType] = types.value;
  }
  return bpf(BPF_MAP_CREATE, attr);
}

export function setElement(map: number, key: Uint8Array, value: Uint8Array): number {
  return withBytes([key, value], ([keyAt = 0, valueAt = 0]) => {
    const attr = words();
    attr[ELEMENT.map] = map;
    pointer(attr, ELEMENT.key, keyAt);
    pointer(attr, ELEMENT.value, valueAt);
    return bpf(BPF_MAP_UPDATE_ELEM, attr);
  });
}

export function deleteElement(map: number, key: Uint8Array): number {
  return withBytes([key], ([keyAt = 0]) => {
    const attr = words();
    attr[ELEMENT.map] = map;
    pointer(attr, ELEMENT.key, keyAt);
    return bpf(BPF_MAP_DELETE_ELEM, attr);
  });
}

export function loadProgram(type: number, attachType: number, code: Uint8Array): number {
  const license = new TextEncoder().encode('GPL\0');
  return withBytes([code, license], ([at = 0, licenseAt = 0]) => {
    const attr = words();
    attr[PROGRAM.type] = type;
    attr[PROGRAM.count] = code.length / 8;
    attr[PROGRAM.attachType] = attachType;
    pointer(attr, PROGRAM.code, at);
    pointer(attr, PROGRAM.license, licenseAt);
    return bpf(BPF_PROG_LOAD, attr);
  });
}

export function loadTypes(blob: Uint8Array): number {
  return withBytes([blob], ([at = 0]) => {
    const attr = words();
    pointer(attr, BTF.data, at);
    attr[BTF.size] = blob.length;
    return bpf(BPF_BTF_LOAD, attr);
  });
}

/** Attached for as long as the descriptor is open. `target`: a descriptor of a cgroup or a network namespace, or an interface's index. */
export function createLink(program: number, target: number, attachType: number): number {
  const attr = words();
  attr[LINK.program] = program;
  attr[LINK.target] = target;
  attr[LINK.attachType] = attachType;
  return bpf(BPF_LINK_CREATE, attr);
}

function words(): Uint32Array {
  return new Uint32Array(ATTR_BYTES >> 2);
}

function bpf(command: number, attr: Uint32Array): number {
  return syscallWithMemory(SYS_BPF, command, attr, ATTR_BYTES, 0);
}

/** Runs with the addresses of copies that do not move. */
function withBytes(parts: readonly Uint8Array[], run: (addresses: number[]) => number): number {
  const slabs: Slab[] = [];
  try {
    for (const part of parts) {
      const slab = mapPages(part.length);
      if (typeof slab === 'number') return slab;
      new Uint8Array(slab.buffer).set(part);
      slabs.push(slab);
    }
    return run(slabs.map((slab) => slab.address));
  } finally {
    slabs.forEach(unmap);
  }
}

export function pointer(attr: Uint32Array, word: number, address: number): void {
  attr[word] = address % 4294967296;
  attr[word + 1] = address / 4294967296;
}
