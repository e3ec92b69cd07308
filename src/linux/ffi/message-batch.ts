/**
 * Memory for many messages that one recvmmsg(2) fills: struct mmsghdr, their vectors, and room for each. Only the receiving
 * is here; what the messages are is the caller's business.
 */
import { mapPages, recvmmsg, type Slab, unmap, writePointer } from './libc.ts';

/** struct mmsghdr (msg_iov at word 4, msg_iovlen at 6, msg_len at 14) and struct iovec, in words of four bytes. */
const HEADER_WORDS = 16;
const VECTOR_WORDS = 4;

export class MessageBatch {
  readonly #slab: Slab;
  readonly #words: Int32Array;
  readonly #views: readonly DataView[];

  /** So many at once, and so many bytes of each; what is longer is cut off. Throws where there is no memory. */
  constructor(count: number, bytes: number) {
    const vectorsAt = count * HEADER_WORDS;
    const dataAt = (vectorsAt + count * VECTOR_WORDS) * 4;
    const slab = mapPages(dataAt + count * bytes);
    if (typeof slab === 'number') throw new Error(`no memory for messages: errno ${-slab}`);
    this.#slab = slab;
    const words = new Int32Array(slab.buffer, 0, dataAt / 4);
    this.#words = words;
    this.#views = Array.from({ length: count }, (_, i) => new DataView(slab.buffer, dataAt + i * bytes, bytes));
    for (let i = 0; i < count; i++) {
      const header = i * HEADER_WORDS;
      const vector = vectorsAt + i * VECTOR_WORDS;
      writePointer(words, header + 4, slab, vector * 4);
      words[header + 6] = 1;
      writePointer(words, vector, slab, dataAt + i * bytes);
      words[vector + 2] = bytes;
    }
  }

  /** How many came, or minus the errno. Their bytes are valid until the next call. */
  receive(fd: number, flags: number): number {
    return recvmmsg(fd, this.#slab.address, this.#views.length, flags, 0);
  }

  /** Calls back for each of the first `count` messages. `length`: with MSG_TRUNC its real one, else what is there. */
  each(count: number, take: (view: DataView, length: number) => void): void {
    for (let i = 0; i < count; i++) {
      const view = this.#views[i];
      if (view) take(view, this.#words[i * HEADER_WORDS + 14] ?? 0);
    }
  }

  free(): void {
    unmap(this.#slab);
  }
}
