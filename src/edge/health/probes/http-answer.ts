/**
 * The head of an HTTP/1 answer: its status and where it leads. A reader of untrusted bytes, pure and bounded: the body is not
 * looked at, and a head beyond 16 KiB is none. Used by the probe of HTTP.
 */
import { excerpt } from '../../../lib/excerpt.ts';
import { MOST_ANSWER_BYTES } from './expectation.ts';

/** `bad`: why it is no answer of HTTP, in words. */
export type HttpAnswer = { readonly status: number; readonly location: string | undefined } | { readonly bad: string };

const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d)(?: |$)/;
const LOCATION = /^location:[ \t]*(.*?)[ \t]*$/im;
/** The empty line after the head. */
const END = /\n\r?\n/g;
/** limit: interim answers (RFC 9110, 15.2) before the final one. */
const MOST_INTERIM = 8;

export class HttpHead {
  #heard = '';
  #interim = 0;

  /** Undefined: its head is not whole yet. */
  hear(bytes: Uint8Array): HttpAnswer | undefined {
    // Only what is new can have the end of the head, with the last three bytes of what was there.
    let from = Math.max(this.#heard.length - 3, 0);
    const room = MOST_ANSWER_BYTES - this.#heard.length;
    this.#heard += Buffer.from(bytes.subarray(0, room)).toString('latin1');
    for (;;) {
      END.lastIndex = from;
      if (!END.test(this.#heard)) return this.#unfinished();
      const answer = read(this.#heard.slice(0, END.lastIndex));
      if ('bad' in answer || answer.status >= 200) return answer;
      if (++this.#interim > MOST_INTERIM) return { bad: 'it sends interim answers without an end' };
      this.#heard = this.#heard.slice(END.lastIndex);
      from = 0;
    }
  }

  /** In words, for one that is not whole. */
  get missed(): string {
    return this.#heard === '' ? 'no answer' : `an answer that is not whole: ${quote(this.#heard)}`;
  }

  #unfinished(): HttpAnswer | undefined {
    // What is no answer of HTTP may never have the end of a head.
    const isOther = !'HTTP/1.'.startsWith(this.#heard.slice(0, 7));
    if (isOther) return { bad: `no HTTP: ${quote(this.#heard)}` };
    return this.#heard.length < MOST_ANSWER_BYTES ? undefined : { bad: 'the head of its answer is beyond 16 KiB' };
  }
}

function read(head: string): HttpAnswer {
  const [line = ''] = head.split(/\r?\n/, 1);
  const status = STATUS_LINE.exec(line)?.[1];
  if (status === undefined) return { bad: `no HTTP: ${quote(line)}` };
  return { status: Number(status), location: LOCATION.exec(head)?.[1] };
}

const quote = (text: string): string => `"${excerpt(text.slice(0, 60))}"`;
