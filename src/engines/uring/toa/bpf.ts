/**
 * bpf(2) as far as TOA needs it: a map, a program, a link to a cgroup, and the first bytes of a type description without
 * which the kernel refuses socket storage. Each answers a descriptor, or minus the errno.
 */
import {
  BPF_CGROUP_SOCK_OPS,
  BPF_F_NO_PREALLOC,
  BPF_MAP_TYPE_SK_STORAGE,
  BPF_PROG_TYPE_SOCK_OPS,
} from '../../../linux/ebpf/abi.ts';
import { close } from '../../../linux/ffi/libc.ts';
import { createLink, createMap, loadProgram, loadTypes } from '../../../linux/ebpf/calls.ts';

const TYPE_INT = 1;
const TYPE_VALUE = 2;

/** Storage of `valueBytes` per socket, filled in by a socket's descriptor. */
export function createSocketStorage(valueBytes: number): number {
  const btf = loadTypes(typesOf(valueBytes));
  if (btf < 0) return btf;
  const map = createMap({
    type: BPF_MAP_TYPE_SK_STORAGE,
    keySize: 4,
    valueSize: valueBytes,
    flags: BPF_F_NO_PREALLOC,
    types: { btf, key: TYPE_INT, value: TYPE_VALUE },
  });
  close(btf);
  return map;
}

export function loadSockOps(code: Uint8Array): number {
  return loadProgram(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, code);
}

/** Attached for as long as the descriptor is open. */
export function attachToCgroup(program: number, cgroup: number): number {
  return createLink(program, cgroup, BPF_CGROUP_SOCK_OPS);
}

/** BTF: type 1 is a 32-bit int, type 2 an array of it. */
function typesOf(valueBytes: number): Uint8Array {
  const strings = new TextEncoder().encode('\0int\0');
  const int = [1, 1 << 24, 4, (1 << 24) | 32];
  const array = [0, 3 << 24, 0, TYPE_INT, TYPE_INT, valueBytes / 4];
  const types = Uint32Array.from([...int, ...array]);
  const header = Uint32Array.from([0x0001_eb9f, 24, 0, types.byteLength, types.byteLength, strings.length]);
  return new Uint8Array([...bytesOf(header), ...bytesOf(types), ...strings]);
}

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer);
