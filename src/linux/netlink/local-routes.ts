/**
 * Which addresses are this machine's own, asked of the kernel's routing as a packet to them would be: right for whole
 * networks on `lo` and for `ip route add local`, and no matter what may be bound (`ip_nonlocal_bind`). Linux only; called by
 * edge/entry-watch.ts. Throws where there is no routing socket.
 */
import { AF_INET, AF_INET6, MSG_DONTWAIT, RTM_GETROUTE, RTM_NEWROUTE } from '../abi.ts';
import { parseAddress } from '../../lib/net/address.ts';
import { close, recv, send } from '../ffi/libc.ts';
import { NLM_F } from './messages.ts';
import { must, NETLINK_ROUTE, netlinkSocket } from './socket.ts';

const RTA_DST = 1;
const RTN_LOCAL = 2;
/** struct nlmsghdr, struct rtmsg, and where that one says what kind of route it is. */
const HEADER = 16;
const ROUTE = 12;
const TYPE_AT = 23;
const ANSWER_BYTES = 8_192;
/** limit: answers to so many questions wait in the socket's usual buffer with room to spare. */
const AT_ONCE = 64;

export class LocalRoutes {
  readonly #fd = netlinkSocket(() => {}, 0, NETLINK_ROUTE);
  readonly #answer = new Uint8Array(ANSWER_BYTES);
  readonly #view = new DataView(this.#answer.buffer);

  /** Those of the addresses that are here. */
  here(addresses: readonly string[]): Set<string> {
    const here = new Set<string>();
    for (let first = 0; first < addresses.length; first += AT_ONCE) {
      const part = addresses.slice(first, first + AT_ONCE);
      const questions = Buffer.concat(part.map((address, i) => question(address, first + i)));
      must(send(this.#fd, questions, questions.length, 0), 'send');
      // The kernel answers while it is asked: an answer that is not there by now does not come.
      while (recv(this.#fd, this.#answer, ANSWER_BYTES, MSG_DONTWAIT) > 0) {
        const asked = addresses[this.#view.getUint32(8, true)];
        const isRoute = this.#view.getUint16(4, true) === RTM_NEWROUTE;
        if (asked !== undefined && isRoute && this.#answer[TYPE_AT] === RTN_LOCAL) here.add(asked);
      }
    }
    return here;
  }

  close(): void {
    close(this.#fd);
  }
}

/** An address that can't be read gets an error for an answer. */
function question(address: string, sequence: number): Uint8Array {
  const destination = parseAddress(address) ?? new Uint8Array(0);
  const bytes = new Uint8Array(HEADER + ROUTE + 4 + destination.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, RTM_GETROUTE, true);
  view.setUint16(6, NLM_F.REQUEST, true);
  view.setUint32(8, sequence, true);
  view.setUint8(HEADER, destination.length === 4 ? AF_INET : AF_INET6);
  view.setUint8(HEADER + 1, 8 * destination.length);
  view.setUint16(HEADER + ROUTE, 4 + destination.length, true);
  view.setUint16(HEADER + ROUTE + 2, RTA_DST, true);
  bytes.set(destination, HEADER + ROUTE + 4);
  return bytes;
}
