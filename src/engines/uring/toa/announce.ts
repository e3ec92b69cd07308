/**
 * Puts a client's address on the packets of a socket that is about to connect: writes the option into the socket's
 * storage, where program.ts finds it. One bpf(2) per connection, no objects. One of these per worker, for
 * tcp/dial.ts. It refuses to open or connect the socket.
 */
import { BPF_MAP_UPDATE_ELEM } from '../../../linux/ebpf/abi.ts';
import { mapPages, syscall, unmap } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import type { ToaHandles } from '../worker/messages.ts';
import { addressOffset, addressSize } from '../../../linux/sockaddr.ts';
import { SYS_BPF } from '../../../linux/ebpf/calls.ts';
import { VALUE_BYTES } from './program.ts';

/** union bpf_attr for BPF_MAP_UPDATE_ELEM { map_fd, key, value, flags }, then the key, then the value. */
const ATTR_BYTES = 32;
const KEY = ATTR_BYTES;
const VALUE = KEY + 8;

export class Toa {
  readonly #slab: Slab;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #key: Int32Array;
  readonly #kinds: ToaHandles;

  constructor(handles: ToaHandles) {
    const slab = mapPages(VALUE + VALUE_BYTES);
    if (typeof slab === 'number') throw new Error('no memory for TOA');
    this.#slab = slab;
    this.#kinds = handles;
    this.#bytes = new Uint8Array(slab.buffer);
    this.#key = new Int32Array(slab.buffer, KEY, 1);
    new Uint32Array(slab.buffer)[0] = handles.mapFd;
    const pointers = new BigUint64Array(slab.buffer, 8, 2);
    pointers[0] = BigInt(slab.address + KEY);
    pointers[1] = BigInt(slab.address + VALUE);
  }

  /** `names` holds the client's socket address at `at`. Minus the errno where the kernel refuses. */
  announce(fd: number, names: Uint8Array, at: number): number {
    const bytes = this.#bytes;
    const from = addressOffset(names, at);
    const size = addressSize(names, at);
    bytes.fill(0, VALUE, VALUE + VALUE_BYTES);
    bytes[VALUE] = size === 4 ? this.#kinds.kindV4 : this.#kinds.kindV6;
    bytes[VALUE + 1] = 4 + size;
    bytes[VALUE + 2] = names[at + 2]!;
    bytes[VALUE + 3] = names[at + 3]!;
    for (let i = 0; i < size; i++) bytes[VALUE + 4 + i] = names[from + i]!;
    this.#key[0] = fd;
    return syscall(SYS_BPF, BPF_MAP_UPDATE_ELEM, this.#slab.address, ATTR_BYTES, 0, 0, 0);
  }

  release(): void {
    unmap(this.#slab);
  }
}
