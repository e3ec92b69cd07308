/**
 * Socket addresses that the kernel reads or writes while an operation is under way: a row of NAME_BYTES each, outside the
 * JavaScript heap. It refuses to know whose they are: slots, sessions, accepts and binds number their own rows.
 */
import { mapPages, unmap } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { NAME_BYTES } from '../../../linux/sockaddr.ts';

const NAME_WORDS = NAME_BYTES >> 2;

export class Names {
  readonly slab: Slab;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same memory as words. */
  readonly words: Int32Array<ArrayBuffer>;

  constructor(count: number) {
    const slab = mapPages(count * NAME_BYTES);
    if (typeof slab === 'number') throw new Error(`no memory for ${count} socket addresses`);
    this.slab = slab;
    this.bytes = new Uint8Array(slab.buffer);
    this.words = new Int32Array(slab.buffer);
  }

  /** Where the name of that number begins, in bytes. */
  offset(name: number): number {
    return name * NAME_BYTES;
  }

  /** Copies the name that begins at word `at` of other words. */
  copy(name: number, words: Int32Array, at: number): void {
    for (let i = 0; i < NAME_WORDS; i++) this.words[name * NAME_WORDS + i] = words[at + i]!;
  }

  release(): void {
    unmap(this.slab);
  }
}
