/**
 * A netlink socket, to the kernel's netfilter unless told otherwise, for questions and changes: the kernel answers while
 * they are sent, so nothing here waits. Throws where the system refuses a call that a privileged process may make. Events
 * of the kernel are events.ts.
 */
import { AF_NETLINK, EAGAIN, EINTR, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_RAW, SOL_SOCKET, SO_SNDBUFFORCE } from '../abi.ts';
import { eachMessage, encode, type Message, NFNL_MSG_BATCH, NLM_F, NLMSG } from './messages.ts';
import { bindTo, close, errnoName, recv, send, setsockopt, socket } from '../ffi/libc.ts';

export const NETLINK_ROUTE = 0;
const NETLINK_NETFILTER = 12;

/** limit: the kernel fills at most 32 KiB per answer of a dump. */
const ANSWER_BYTES = 65_536;
/** limit: a transaction is one message to the system; thousands of rules are a few megabytes. */
const REQUEST_BYTES = 16 * 1024 * 1024;
/** limit: as many acknowledgements fit the socket's usual buffer of 208 KiB with room to spare. */
const AT_ONCE = 64;

/** Takes a message's attributes: [body, end) of the view, which is used again for the next. */
export type Take = (view: DataView, body: number, end: number, type: number) => void;

export class Netlink {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(ANSWER_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);

  constructor(protocol = NETLINK_NETFILTER) {
    const prepare = (fd: number): void =>
      void must(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, Uint32Array.of(REQUEST_BYTES), 4), 'SO_SNDBUFFORCE');
    this.#fd = netlinkSocket(prepare, 0, protocol);
  }

  /** Sends requests, many at a time; gives for each 0, or minus its errno. */
  request(messages: readonly Message[]): number[] {
    const codes: number[] = [];
    for (let first = 0; first < messages.length; first += AT_ONCE) {
      const part = messages.slice(first, first + AT_ONCE);
      this.#send(part.map((message) => ({ ...message, flags: message.flags | NLM_F.ACK })));
      while (codes.length < first + part.length) this.#read(0, (code) => codes.push(code));
    }
    return codes;
  }

  /** Sends messages that take effect together or not at all. Gives 0, or minus the errno of the first that failed. */
  transact(subsystem: number, messages: readonly Message[]): number {
    const frame = { flags: 0, family: 0, resource: subsystem, attributes: [] };
    this.#send([{ ...frame, type: NFNL_MSG_BATCH.BEGIN }, ...messages, { ...frame, type: NFNL_MSG_BATCH.END }]);
    // The kernel has done all of it by now; what it did not like waits to be read.
    let result = 0;
    while (this.#read(MSG_DONTWAIT, (code) => (result ||= code)));
    return result;
  }

  /** Asks for everything that matches and hands it over piece by piece. Gives 0, or minus the errno. */
  dump(message: Message, take: Take, between?: () => void): number {
    return this.#ask({ ...message, flags: message.flags | NLM_F.DUMP }, take, between);
  }

  /** Asks for what the message names. Gives 0, or minus the errno. */
  get(message: Message, take: Take): number {
    return this.#ask({ ...message, flags: message.flags | NLM_F.ACK }, take);
  }

  #ask(message: Message, take: Take, between?: () => void): number {
    this.#send([message]);
    let result: number | undefined;
    while (result === undefined) {
      this.#read(0, (code) => (result = code), take);
      between?.();
    }
    return result;
  }

  close(): void {
    close(this.#fd);
  }

  #send(messages: readonly Message[]): void {
    const bytes = Buffer.concat(messages.map((one) => encode({ ...one, flags: one.flags | NLM_F.REQUEST })));
    must(send(this.#fd, bytes, bytes.length, 0), 'send');
  }

  /** Reads: the end of an answer (a DONE or an acknowledgement) goes to `ended`, the rest to `take`. False: nothing is there. */
  #read(flags: number, ended: (code: number) => void, take?: Take): boolean {
    const length = recv(this.#fd, this.#buffer, ANSWER_BYTES, flags);
    if (length === -EAGAIN) return false;
    if (length === -EINTR) return true;
    must(length, 'recv');
    eachMessage(this.#view, length, ({ type, body, end, code }) => {
      if (type === NLMSG.ERROR || type === NLMSG.DONE) ended(code);
      else take?.(this.#view, body, end, type);
    });
    return true;
  }
}

/** A bound socket. `prepare` sets its options before the first message can come. */
export function netlinkSocket(prepare: (fd: number) => void, groups = 0, protocol = NETLINK_NETFILTER): number {
  const fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 'socket');
  try {
    prepare(fd);
    const address = new DataView(new ArrayBuffer(12));
    address.setUint16(0, AF_NETLINK, true);
    address.setUint32(8, groups, true);
    must(bindTo(fd, address, 12), 'bind');
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

export function must(result: number, what: string): number {
  if (result < 0) throw new Error(`netlink ${what}: ${errnoName(result)}`);
  return result;
}
