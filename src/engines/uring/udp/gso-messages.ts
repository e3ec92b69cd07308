/**
 * Chains of datagrams (gso.ts) as the kernel reads them: for each a struct msghdr that says where its buffers lie and how
 * long its segments are. Their memory is used anew with each batch. It refuses to send; send.ts asks for them.
 */
import { mapPages, unmap, writePointer } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { SOL_UDP, UDP_SEGMENT } from '../../../linux/abi.ts';
import type { BufferPool } from '../ring/buffers.ts';
import type { Ring } from '../ring/ring.ts';
import { MOST_SEGMENTS } from './gso.ts';

/** Room for the messages of one batch; a batch that needs more is submitted in parts. */
const MESSAGES = 512;
const VECTORS = 4096;
// struct msghdr, struct iovec, struct cmsghdr with two bytes of data
const MSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;
const CMSG_BYTES = 32;
const CMSG_LENGTH = 18;
const CMSG_SPACE = 24;
const WORD = { name: 0, nameSize: 2, vectors: 4, count: 6, control: 8, controlSize: 10 } as const;

export class GsoMessages {
  readonly slab: Slab;
  readonly #ring: Ring;
  readonly #buffers: BufferPool;
  readonly #words: Int32Array;
  readonly #bytesOfSlab: Uint16Array;
  #messages = 0;
  #vectors = 0;

  constructor(ring: Ring, buffers: BufferPool) {
    const slab = mapPages(MESSAGES * (MSGHDR_BYTES + CMSG_BYTES) + VECTORS * IOVEC_BYTES);
    if (typeof slab === 'number') throw new Error('no memory for datagrams');
    this.slab = slab;
    this.#ring = ring;
    this.#buffers = buffers;
    this.#words = new Int32Array(slab.buffer);
    this.#bytesOfSlab = new Uint16Array(slab.buffer);
  }

  /** Where in the slab a struct msghdr lies for the chain that begins with `first`, in datagrams of `segment` bytes; to() completes it. */
  describe(first: number, segment: number): number {
    if (this.#messages === MESSAGES || this.#vectors + MOST_SEGMENTS > VECTORS) {
      this.#ring.enter(0, 0);
      this.submitted();
    }
    const { next, start, length, slab } = this.#buffers;
    const vectorsAt = MESSAGES * (MSGHDR_BYTES + CMSG_BYTES) + this.#vectors * IOVEC_BYTES;
    let at = vectorsAt >> 2;
    let vectors = 0;
    for (let buffer = first; buffer >= 0; buffer = next[buffer]!) {
      writePointer(this.#words, at, slab, start[buffer]!);
      this.#words[at + 2] = length[buffer]!;
      this.#words[at + 3] = 0;
      at += IOVEC_BYTES >> 2;
      vectors++;
    }
    const messageAt = this.#messages * MSGHDR_BYTES;
    const controlAt = MESSAGES * MSGHDR_BYTES + this.#messages * CMSG_BYTES;
    const control = controlAt >> 2;
    this.#words[control] = CMSG_LENGTH;
    this.#words[control + 1] = 0;
    this.#words[control + 2] = SOL_UDP;
    this.#words[control + 3] = UDP_SEGMENT;
    this.#bytesOfSlab[(controlAt >> 1) + 8] = segment;
    const message = messageAt >> 2;
    this.#words.fill(0, message, message + (MSGHDR_BYTES >> 2));
    writePointer(this.#words, message + WORD.vectors, this.slab, vectorsAt);
    this.#words[message + WORD.count] = vectors;
    writePointer(this.#words, message + WORD.control, this.slab, controlAt);
    this.#words[message + WORD.controlSize] = CMSG_SPACE;
    this.#messages++;
    this.#vectors += vectors;
    return messageAt;
  }

  /** Names the receiver of a described chain. */
  to(message: number, names: Slab, name: number, nameSize: number): void {
    writePointer(this.#words, (message >> 2) + WORD.name, names, name);
    this.#words[(message >> 2) + WORD.nameSize] = nameSize;
  }

  /** Everything described so far has been submitted, and with that copied: its room is free. */
  submitted(): void {
    this.#messages = 0;
    this.#vectors = 0;
  }

  release(): void {
    unmap(this.slab);
  }
}
