/**
 * A map of the kernel's (BPF_MAP_TYPE_HASH and its per-processor kind), read and changed from here while programs use it. Its
 * memory is its own and used again for each call, so that asking for one element costs a system call and little more.
 */
import {
  BPF_F_NO_PREALLOC,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_PERCPU_HASH,
} from './abi.ts';
import { ENOENT } from '../abi.ts';
import { readFileSync } from 'node:fs';
import { close as closeDescriptor, errnoName, mapPages, type Slab, syscallWithMemory, unmap } from '../ffi/libc.ts';
import { ATTR_BYTES, createMap, ELEMENT, pointer, SYS_BPF } from './calls.ts';

/** Word offsets in union bpf_attr. */
const BATCH = { after: 0, next: 2, keys: 4, values: 6, count: 8, map: 9 } as const;

/** limit: elements that one call hands over; more than any bucket of the kernel's hash holds. */
const AT_ONCE = 1024;

export interface HashShape {
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entries: number;
  /** A value per processor; its length is a multiple of eight. */
  readonly perProcessor?: true;
}

/** `key` and `value` begin there in the view, which is used again. */
type Element = (view: DataView, key: number, value: number) => void;

export class HashMap {
  readonly fd: number;
  /** Values of one element: one, or one per processor that may ever be there. */
  readonly copies: number;
  readonly #shape: HashShape;
  readonly #attr = new Uint32Array(ATTR_BYTES >> 2);
  readonly #slab: Slab;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #valuesAt: number;
  readonly #cursorAt: number;
  readonly #valueSize: number;

  /** Throws with a reason where the kernel refuses it. */
  constructor(shape: HashShape) {
    this.#shape = shape;
    this.copies = shape.perProcessor ? processors() : 1;
    this.#valueSize = shape.valueBytes * this.copies;
    this.fd = createMap({
      type: shape.perProcessor ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_HASH,
      keySize: shape.keyBytes,
      valueSize: shape.valueBytes,
      entries: shape.entries,
      flags: BPF_F_NO_PREALLOC,
    });
    if (this.fd < 0) throw new Error(`the kernel refuses a map: ${errnoName(this.fd)}`);
    // limit: values begin at a multiple of eight.
    this.#valuesAt = (AT_ONCE * shape.keyBytes + 7) & ~7;
    this.#cursorAt = this.#valuesAt + AT_ONCE * this.#valueSize;
    const slab = mapPages(this.#cursorAt + 16);
    if (typeof slab === 'number') {
      closeDescriptor(this.fd);
      throw new Error(`no memory to read a map: ${errnoName(slab)}`);
    }
    this.#slab = slab;
    this.#view = new DataView(slab.buffer);
    this.#bytes = new Uint8Array(slab.buffer);
  }

  /** Hands over the value of a key, where there is one; the programs go on changing theirs. */
  get(key: Uint8Array, seen: Element): void {
    this.#one(BPF_MAP_LOOKUP_ELEM, key, seen);
  }

  /** The same, and it is gone. */
  take(key: Uint8Array, seen: Element): void {
    this.#one(BPF_MAP_LOOKUP_AND_DELETE_ELEM, key, seen);
  }

  delete(key: Uint8Array): void {
    this.#one(BPF_MAP_DELETE_ELEM, key);
  }

  /**
   * Hands over every element that is there all the while; one that comes or goes meanwhile, perhaps. `seen` must ask
   * nothing of this map.
   */
  each(seen: Element): void {
    let isFirst = true;
    for (;;) {
      const attr = this.#attr.fill(0);
      if (!isFirst) pointer(attr, BATCH.after, this.#slab.address + this.#cursorAt);
      pointer(attr, BATCH.next, this.#slab.address + this.#cursorAt);
      pointer(attr, BATCH.keys, this.#slab.address);
      pointer(attr, BATCH.values, this.#slab.address + this.#valuesAt);
      attr[BATCH.count] = AT_ONCE;
      attr[BATCH.map] = this.fd;
      const result = syscallWithMemory(SYS_BPF, BPF_MAP_LOOKUP_BATCH, attr, ATTR_BYTES, 0);
      const count = attr[BATCH.count] ?? 0;
      if (result < 0 && result !== -ENOENT) return;
      for (let i = 0; i < count; i++) seen(this.#view, i * this.#shape.keyBytes, this.#valuesAt + i * this.#valueSize);
      if (result < 0) return;
      isFirst = false;
    }
  }

  close(): void {
    closeDescriptor(this.fd);
    unmap(this.#slab);
  }

  #one(command: number, key: Uint8Array, seen?: Element): void {
    this.#bytes.set(key);
    const attr = this.#attr.fill(0);
    attr[ELEMENT.map] = this.fd;
    pointer(attr, ELEMENT.key, this.#slab.address);
    if (seen) pointer(attr, ELEMENT.value, this.#slab.address + this.#valuesAt);
    const result = syscallWithMemory(SYS_BPF, command, attr, ATTR_BYTES, 0);
    if (result >= 0) seen?.(this.#view, 0, this.#valuesAt);
  }
}

/** Processors that may ever be there: the kernel keeps a value for each. */
function processors(): number {
  const [, last = '0'] = /(\d+)\s*$/.exec(readFileSync('/sys/devices/system/cpu/possible', 'latin1')) ?? [];
  return Number(last) + 1;
}
