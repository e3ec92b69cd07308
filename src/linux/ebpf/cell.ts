/**
 * One number that programs read and this process sets: an array map of one element. Its memory is its own, because a number
 * that changes often must not take some each time.
 */
import { BPF_MAP_TYPE_ARRAY, BPF_MAP_UPDATE_ELEM } from './abi.ts';
import { close, errnoName, mapPages, type Slab, syscallWithMemory, unmap } from '../ffi/libc.ts';
import { ATTR_BYTES, createMap, ELEMENT, pointer, SYS_BPF } from './calls.ts';

/** The key, which stays 0, and behind it the value. */
const KEY_AT = 0;
const VALUE_AT = 8;
const BYTES = 16;

export class Cell {
  readonly fd: number;
  readonly #attr = new Uint32Array(ATTR_BYTES >> 2);
  readonly #slab: Slab;
  readonly #words: Uint32Array;

  /** Throws with a reason where the kernel refuses it. */
  constructor() {
    this.fd = createMap({ type: BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 4, entries: 1 });
    if (this.fd < 0) throw new Error(`the kernel refuses a map: ${errnoName(this.fd)}`);
    const slab = mapPages(BYTES);
    if (typeof slab === 'number') {
      close(this.fd);
      throw new Error(`no memory for a map: ${errnoName(slab)}`);
    }
    this.#slab = slab;
    this.#words = new Uint32Array(slab.buffer);
    this.#attr[ELEMENT.map] = this.fd;
    pointer(this.#attr, ELEMENT.key, slab.address + KEY_AT);
    pointer(this.#attr, ELEMENT.value, slab.address + VALUE_AT);
  }

  /** 32 bits. */
  set(value: number): void {
    this.#words[VALUE_AT >> 2] = value;
    syscallWithMemory(SYS_BPF, BPF_MAP_UPDATE_ELEM, this.#attr, ATTR_BYTES, 0);
  }

  close(): void {
    close(this.fd);
    unmap(this.#slab);
  }
}
