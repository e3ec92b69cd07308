/**
 * Placeholders of connections that were open before their count was made: a changed number, a table made anew. The kernel
 * adds a connection to a count when it opens and never again, so each of them gets an entry beside it in conntrack, in a
 * zone of its own, with the same addresses: opened by a packet that goes no further than this machine (layout.ts), and
 * counted in its place. The entry goes when the connection goes; by itself, two minutes after the last look. The kernel
 * alone knows which there are, so the next process goes on with them. table.ts opens them, placeholder-care.ts looks after
 * them.
 */
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_TRANSPARENT,
  IP_TRANSPARENT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_IP,
  SOL_IPV6,
  SOL_SOCKET,
  SO_MARK,
  SO_REUSEADDR,
} from '../../../linux/abi.ts';
import type { Netlink } from '../../../linux/netlink/socket.ts';
import { bindTo, close, connect, sendto, setsockopt, socket } from '../../../linux/ffi/libc.ts';
import { parseAddress } from '../../../lib/net/address.ts';
import {
  deleteFlow,
  type Flow,
  getFlow,
  getFlows,
  keepFlow,
  readFlow,
  TCP_STATE,
} from '../../../linux/netlink/conntrack.ts';
import { sockaddrOf } from '../../../linux/sockaddr.ts';
import { PLACEHOLDER } from '../../../engines/packet-marks.ts';
import type { LimitedRule } from '../contents/limited-rule.ts';

/** limit: the kernel looks through all of a count when one is added, so that many cost the square of it. */
const MOST = 2048;
const KEPT_S = 120;
const NOW = SOCK_NONBLOCK | SOCK_CLOEXEC;

export class Placeholders {
  readonly #asking: Netlink;

  constructor(asking: Netlink) {
    this.#asking = asking;
  }

  /** Connections that are open at the places of these rules. */
  open(rules: readonly LimitedRule[]): Flow[] {
    const ports = new Map<string, LimitedRule['ports'][]>();
    for (const { entries, protocol, ports: its } of rules)
      for (const entry of entries) {
        const key = `${protocol === 'TCP' ? IPPROTO_TCP : IPPROTO_UDP} ${entry}`;
        ports.set(key, [...(ports.get(key) ?? []), its]);
      }
    const flows: Flow[] = [];
    this.#asking.dump(getFlows(0, 0), (view, body, end) => {
      const flow = flows.length < MOST ? readFlow(view, body, end) : undefined;
      if (!flow || flow.mark === PLACEHOLDER.mark || isOver(flow)) return;
      const { address, port } = flow.original.destination;
      const spans = ports.get(`${flow.protocol} ${address}`);
      if (spans?.some((span) => span.some(({ from, to }) => from <= port && port <= to))) flows.push(flow);
    });
    return flows;
  }

  make(flows: readonly Flow[]): void {
    // An entry of before is in a count that is gone, and in the way of the next.
    const again = new Set(flows.map(placeOf));
    const before = this.#entries().filter((entry) => again.has(placeOf(entry)));
    this.#asking.request(before.map((entry) => deleteFlow(entry, bytesOf, PLACEHOLDER.zone)));
    for (const flow of flows) makeOne(flow);
  }

  /** Those of connections that have ended go, the others stay. Gives how many there were. */
  tend(): number {
    const entries = this.#entries();
    const changes = entries.map((entry) =>
      this.#isOpen(entry)
        ? keepFlow(entry, KEPT_S, bytesOf, PLACEHOLDER.zone)
        : deleteFlow(entry, bytesOf, PLACEHOLDER.zone),
    );
    this.#asking.request(changes);
    return entries.length;
  }

  #entries(): Flow[] {
    const entries: Flow[] = [];
    this.#asking.dump(getFlows(PLACEHOLDER.mark, 0xffff_ffff), (view, body, end) => {
      const entry = readFlow(view, body, end);
      if (entry) entries.push(entry);
    });
    return entries;
  }

  #isOpen(entry: Flow): boolean {
    let isOpen = false;
    this.#asking.get(getFlow(entry, bytesOf), (view, body, end) => {
      const flow = readFlow(view, body, end);
      isOpen = flow !== undefined && !isOver(flow);
    });
    return isOpen;
  }
}

/** Where the kernel no longer counts it either. */
const isOver = ({ state }: Flow): boolean => state === TCP_STATE.timeWait || state === TCP_STATE.close;
const placeOf = ({ protocol, original: { source, destination } }: Flow): string =>
  `${protocol} ${source.address} ${source.port} ${destination.address} ${destination.port}`;
const bytesOf = (address: string): Uint8Array => parseAddress(address) ?? new Uint8Array(4);

/** Best effort: a client on this very machine has its own port, so it gets no placeholder. */
function makeOne({ family, protocol, original: { source, destination } }: Flow): void {
  const fd = socket(family === 4 ? AF_INET : AF_INET6, (protocol === IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM) | NOW, 0);
  if (fd < 0) return;
  const set = (level: number, name: number, value: number): number =>
    setsockopt(fd, level, name, Uint32Array.of(value), 4);
  const [from, to] = [source, destination].map(({ address, port }) => sockaddrOf(bytesOf(address), port)) as [
    Uint8Array,
    Uint8Array,
  ];
  set(SOL_SOCKET, SO_REUSEADDR, 1);
  const isFree = family === 4 ? set(SOL_IP, IP_TRANSPARENT, 1) : set(SOL_IPV6, IPV6_TRANSPARENT, 1);
  // order: marked before the first packet, else it would be one of the client's.
  if (isFree === 0 && set(SOL_SOCKET, SO_MARK, PLACEHOLDER.mark) === 0 && bindTo(fd, from, from.length) === 0)
    if (protocol === IPPROTO_TCP) connect(fd, to, to.length);
    else sendto(fd, new Uint8Array(1), 0, 0, to, to.length);
  close(fd);
}
