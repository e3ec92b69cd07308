/**
 * Whether an answer has the text that a check expects, however it is cut into segments or datagrams. Pure and bounded: it
 * reads untrusted bytes and keeps no more than 16 KiB of them. Used by the probes of TCP and UDP.
 */
import { excerpt } from '../../../lib/excerpt.ts';

/** limit: no greeting and no head of an answer is longer; what comes in single bytes is still looked through in no time. */
export const MOST_ANSWER_BYTES = 16_384;
const MOST_QUOTED = 60;

export class Expectation {
  readonly #expected: Buffer;
  #heard = Buffer.alloc(0);

  constructor(expected: string) {
    this.#expected = Buffer.from(expected);
  }

  /** `enough`: no more is listened to. */
  hear(bytes: Uint8Array): 'found' | 'more' | 'enough' {
    const room = MOST_ANSWER_BYTES - this.#heard.length;
    // Only what is new can complete it, with the end of what was there.
    const from = Math.max(this.#heard.length - this.#expected.length + 1, 0);
    this.#heard = Buffer.concat([this.#heard, bytes.subarray(0, room)]);
    if (this.#heard.includes(this.#expected, from)) return 'found';
    return this.#heard.length < MOST_ANSWER_BYTES ? 'more' : 'enough';
  }

  /** In words, what came instead. */
  get missed(): string {
    const wanted = quote(this.#expected);
    return this.#heard.length === 0 ? `no answer; ${wanted} is expected` : `${quote(this.#heard)} instead of ${wanted}`;
  }

  get found(): string {
    return `it answered ${quote(this.#expected)}`;
  }
}

const quote = (bytes: Buffer): string => `"${excerpt(bytes.subarray(0, MOST_QUOTED).toString('latin1'))}"`;
