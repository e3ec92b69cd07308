/**
 * bpf(2) as far as TOA needs it: a map, a program, a link to a cgroup, and the first bytes of a type description without
 * which the kernel refuses socket storage. Each answers a descriptor, or minus the errno.
 */
import { close, mapPages, syscallWithMemory, unmap } from '../../../../lib/ffi/libc.ts';
import type { Slab } from '../../../../lib/ffi/libc.ts';

// asm-generic says 280, x86-64 has its own number.
export const SYS_BPF = process.arch === 'x64' ? 321 : 280;
export const BPF_MAP_UPDATE_ELEM = 2;
const BPF_MAP_CREATE = 0;
const BPF_PROG_LOAD = 5;
const BPF_BTF_LOAD = 18;
const BPF_LINK_CREATE = 28;
const BPF_MAP_TYPE_SK_STORAGE = 24;
const BPF_F_NO_PREALLOC = 1;
const BPF_PROG_TYPE_SOCK_OPS = 13;
const BPF_CGROUP_SOCK_OPS = 3;
const ATTR_BYTES = 128;

/** Word offsets in union bpf_attr, by command. */
const MAP = { type: 0, keySize: 1, valueSize: 2, flags: 4, btf: 12, keyType: 13, valueType: 14 } as const;
const PROGRAM = { type: 0, count: 1, code: 2, license: 4, logLevel: 6, attachType: 17 } as const;
const BTF = { data: 0, size: 4 } as const;
const LINK = { program: 0, target: 1, attachType: 2 } as const;

/** Storage of `valueBytes` per socket, filled in by a socket's descriptor. */
export function createSocketStorage(valueBytes: number): number {
  const btf = loadTypes(valueBytes);
  if (btf < 0) return btf;
  const attr = new Uint32Array(ATTR_BYTES >> 2);
  attr[MAP.type] = BPF_MAP_TYPE_SK_STORAGE;
  attr[MAP.keySize] = 4;
  attr[MAP.valueSize] = valueBytes;
  attr[MAP.flags] = BPF_F_NO_PREALLOC;
  attr[MAP.btf] = btf;
  attr[MAP.keyType] = TYPE_INT;
  attr[MAP.valueType] = TYPE_VALUE;
  const map = bpf(BPF_MAP_CREATE, attr);
  close(btf);
  return map;
}

export function loadSockOps(code: Uint8Array): number {
  const license = new TextEncoder().encode('GPL\0');
  return withBytes([code, license], ([at = 0, licenseAt = 0]) => {
    const attr = new Uint32Array(ATTR_BYTES >> 2);
    attr[PROGRAM.type] = BPF_PROG_TYPE_SOCK_OPS;
    attr[PROGRAM.count] = code.length / 8;
    attr[PROGRAM.attachType] = BPF_CGROUP_SOCK_OPS;
    pointer(attr, PROGRAM.code, at);
    pointer(attr, PROGRAM.license, licenseAt);
    return bpf(BPF_PROG_LOAD, attr);
  });
}

/** Attached for as long as the descriptor is open. */
export function attachToCgroup(program: number, cgroup: number): number {
  const attr = new Uint32Array(ATTR_BYTES >> 2);
  attr[LINK.program] = program;
  attr[LINK.target] = cgroup;
  attr[LINK.attachType] = BPF_CGROUP_SOCK_OPS;
  return bpf(BPF_LINK_CREATE, attr);
}

const TYPE_INT = 1;
const TYPE_VALUE = 2;

/** BTF: type 1 is a 32-bit int, type 2 an array of it. */
function loadTypes(valueBytes: number): number {
  const strings = new TextEncoder().encode('\0int\0');
  const int = [1, 1 << 24, 4, (1 << 24) | 32];
  const array = [0, 3 << 24, 0, TYPE_INT, TYPE_INT, valueBytes / 4];
  const types = Uint32Array.from([...int, ...array]);
  const header = Uint32Array.from([0x0001_eb9f, 24, 0, types.byteLength, types.byteLength, strings.length]);
  const blob = new Uint8Array([...bytesOf(header), ...bytesOf(types), ...strings]);
  return withBytes([blob], ([at = 0]) => {
    const attr = new Uint32Array(ATTR_BYTES >> 2);
    pointer(attr, BTF.data, at);
    attr[BTF.size] = blob.length;
    return bpf(BPF_BTF_LOAD, attr);
  });
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

function pointer(attr: Uint32Array, word: number, address: number): void {
  attr[word] = address % 4294967296;
  attr[word + 1] = address / 4294967296;
}

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer);
