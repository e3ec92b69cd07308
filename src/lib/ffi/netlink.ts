/**
 * A netlink socket to the kernel's netfilter. Nothing here waits: requests are answered while they are sent, events are
 * taken when asked for. Throws where the system refuses a call that a privileged process may make.
 */
import { eachMessage, encode, type Message, NLM_F, NLMSG } from '../netlink.ts';
import { bindTo, close, errnoName, recv, send, setsockopt, socket } from './libc.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_ATTACH_FILTER = 26;
const MSG_DONTWAIT = 0x40;
const [EAGAIN, ENOBUFS, EINTR] = [-11, -105, -4];

/** limit: the kernel fills at most 32 KiB per answer of a dump. */
const ANSWER_BYTES = 65_536;
/** limit: as many acknowledgements fit the socket's usual buffer of 208 KiB with room to spare. */
const AT_ONCE = 64;

/** Takes a message's attributes: [body, end) of the view, which is used again for the next. */
export type Take = (view: DataView, body: number, end: number, type: number) => void;

export class Netlink {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(ANSWER_BYTES);
  readonly #view = new DataView(this.#buffer.buffer);

  /** `groups`: a bit mask of the events wanted; `bufferBytes`: how many of them may wait in the kernel. */
  constructor(groups = 0, bufferBytes = 0) {
    this.#fd = must(socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_NETFILTER), 'socket');
    try {
      if (bufferBytes > 0) must(this.#set(SO_RCVBUFFORCE, Uint32Array.of(bufferBytes)), 'SO_RCVBUFFORCE');
      const address = new DataView(new ArrayBuffer(12));
      address.setUint16(0, AF_NETLINK, true);
      address.setUint32(8, groups, true);
      must(bindTo(this.#fd, address, 12), 'bind');
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /** Sends requests, many at a time; gives for each 0, or minus its errno. */
  request(messages: readonly Message[]): number[] {
    const codes: number[] = [];
    for (let first = 0; first < messages.length; first += AT_ONCE) {
      const part = messages.slice(first, first + AT_ONCE);
      this.#send(part.map((message) => ({ ...message, flags: message.flags | NLM_F.REQUEST | NLM_F.ACK })));
      while (codes.length < first + part.length) this.#read((_, code) => codes.push(code));
    }
    return codes;
  }

  /** Asks for everything that matches and hands it over piece by piece. Gives 0, or minus the errno. */
  dump(message: Message, take: Take): number {
    this.#send([{ ...message, flags: message.flags | NLM_F.REQUEST | NLM_F.DUMP }]);
    let result: number | undefined;
    while (result === undefined) this.#read((_, code) => (result = code), take);
    return result;
  }

  /** Hands over the events that wait, at most about `most`. `lost`: the kernel had to drop some before. */
  events(take: Take, most: number): { readonly taken: number; readonly lost: boolean } {
    let [taken, lost] = [0, false];
    while (taken < most) {
      const length = recv(this.#fd, this.#buffer, ANSWER_BYTES, MSG_DONTWAIT);
      if (length === EAGAIN) break;
      if (length === ENOBUFS) lost = true;
      else if (length !== EINTR) {
        must(length, 'recv');
        eachMessage(this.#view, length, ({ type, body, end }) => {
          taken++;
          take(this.#view, body, end, type);
        });
      }
    }
    return { taken, lost };
  }

  /** A classic BPF program, 8 bytes an instruction: which events this socket gets at all. */
  filter(program: Uint8Array, addressOf: (bytes: Uint8Array) => bigint): void {
    const fprog = new DataView(new ArrayBuffer(16));
    fprog.setUint16(0, program.length / 8, true);
    fprog.setBigUint64(8, addressOf(program), true);
    must(this.#set(SO_ATTACH_FILTER, fprog), 'SO_ATTACH_FILTER');
  }

  close(): void {
    close(this.#fd);
  }

  #set(name: number, value: ArrayBufferView): number {
    return setsockopt(this.#fd, SOL_SOCKET, name, value, value.byteLength);
  }

  #send(messages: readonly Message[]): void {
    const bytes = Buffer.concat(messages.map((message) => encode(message)));
    must(send(this.#fd, bytes, bytes.length, 0), 'send');
  }

  /** One read: what ends an answer (a DONE or an acknowledgement) goes to `ended`, the rest to `take`. */
  #read(ended: (type: number, code: number) => void, take?: Take): void {
    const length = recv(this.#fd, this.#buffer, ANSWER_BYTES, 0);
    if (length === EINTR) return;
    must(length, 'recv');
    eachMessage(this.#view, length, ({ type, body, end, code }) => {
      if (type === NLMSG.ERROR || type === NLMSG.DONE) ended(type, code);
      else take?.(this.#view, body, end, type);
    });
  }
}

function must(result: number, what: string): number {
  if (result < 0) throw new Error(`netlink ${what}: ${errnoName(result)}`);
  return result;
}
