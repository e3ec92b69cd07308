/**
 * Wide ranges of TCP ports, as the agent's thread sees them: whether one socket can take a rule's range (else it has a
 * socket per port, and why), which port that socket is bound to, and that no other socket has the others. Called by host/;
 * steering.ts does it. It refuses to bind anything: the one socket is a bind point like any other, to workers and to an
 * upgrade.
 */
import { spanSize, spansOverlap, type PortSpan } from '../../../lib/net/ports.ts';
import { bindKey, type Inherited } from '../../../handoff/inherited.ts';
import type { Listener } from '../../engine.ts';
import { isHeldByUs } from '../../../linux/udp-holders.ts';
import { bindReason } from '../../flow/causes.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import { MOST_PORTS_IN_ALL_WORKERS, type BoundPoint, whyRefused } from '../host/listening-sockets.ts';
import { listeningPorts } from './listening.ts';
import { Steering } from './steering.ts';

/** limit: ports below this may need a privilege. */
const UNPRIVILEGED = 1024;
const UNSPECIFIED = new Set(['0.0.0.0', '::']);
const HAS_THEM = 'it came with them, and they keep what is on its way';

interface Range {
  readonly rule: string;
  readonly addresses: readonly string[];
  readonly ports: readonly PortSpan[];
}

/** The bound sockets of a rule with their points, by the point's key. */
type Points = ReadonlyMap<string, BoundPoint>;

export class Ranges {
  /** A text: why there is none. undefined: no rule has needed it yet. */
  #steering: Steering | string | undefined;
  readonly #ranges = new Map<string, Range>();

  constructor(steered = true) {
    if (!steered) this.#steering = 'sk_lookup is switched off';
  }

  /** Why ranges have a socket per port here, in words. Asking tries it. */
  get lacking(): string | undefined {
    const steering = this.#try();
    return typeof steering === 'string' ? steering : undefined;
  }

  /**
   * What to bind where one socket per address is to take the rule's ports; else why each gets its own, in words, or ''
   * where there are too few to ask. An address keeps the sockets it has as long as their ports are the rule's: a handshake
   * under way is lost with its socket. not: a rule that has a socket for each port already (`points`, or from the
   * previous process), for the same reason.
   */
  points(listener: Listener, points: Points, sockets: Inherited | undefined): Map<string, BindPoint> | string {
    const { id, protocol, entries, ports } = listener;
    const count = ports.reduce((sum, span) => sum + spanSize(span), 0);
    if (entries.length * count <= MOST_PORTS_IN_ALL_WORKERS) return '';
    // wire: a UDP reply has to leave from the port that the client spoke to, so each port needs its own socket anyway.
    if (protocol !== 'TCP') return 'a UDP reply leaves by the port that the client spoke to';
    if (entries.some((address) => UNSPECIFIED.has(address))) return 'its entry stands for every address of the machine';
    const { lacking } = this;
    if (lacking !== undefined) return lacking;
    if (points.size > MOST_PORTS_IN_ALL_WORKERS && !this.has(id)) return HAS_THEM;
    const wanted = new Map<string, BindPoint>();
    for (const address of entries) {
      const own = [...points.values()].map(({ point }) => point).filter((point) => point.address === address);
      const inherited = inheritedPorts(address, sockets).filter((port) => isAmong(ports, port));
      if (inherited.length === count) return HAS_THEM;
      const kept = [...own.map(({ port }) => port).filter((port) => isAmong(ports, port)), ...inherited];
      for (const port of kept.length > 0 ? kept : [ports[0]?.from ?? 0]) {
        const key = bindKey(protocol, address, port);
        wanted.set(key, { protocol, address, port, key });
      }
    }
    return wanted;
  }

  /** The reason, in words, where another rule or program has one of the ports. `points`: the rule's own; `wanted`: those to bind. */
  whyTaken(listener: Listener, points: Points, wanted: ReadonlyMap<string, BindPoint>): string | undefined {
    const known = this.#ranges.get(listener.id);
    const others = [...this.#ranges.values()].filter(({ rule }) => rule !== listener.id);
    for (const { rule, addresses, ports } of others) {
      const both = listener.entries.find((address) => addresses.includes(address));
      if (both !== undefined && spansOverlap(ports, listener.ports)) return inRangeOf(both, rule);
    }
    for (const point of suspects(listener)) {
      const { key, port, address } = point;
      // not: the rule's own, and those that are about to be bound (or are inherited, and then we listen there ourselves).
      const isMine = known?.addresses.includes(address) && isAmong(known.ports, port);
      if (isMine || points.has(key) || wanted.has(key)) continue;
      const refused = whyRefused(point);
      if (refused !== undefined) return bindReason(refused, point, 1, isHeldByUs);
    }
    return undefined;
  }

  /** Whether the rule's ports are led to one socket now. */
  has(rule: string): boolean {
    return this.#ranges.has(rule);
  }

  /** The reason, in words, why a point can't have a socket of its own: its port is led to another rule's. */
  whySteered(rule: string, { protocol, address, port }: BindPoint): string | undefined {
    if (protocol !== 'TCP') return undefined;
    for (const range of this.#ranges.values()) {
      if (range.rule === rule || !range.addresses.includes(address)) continue;
      if (isAmong(range.ports, port)) return inRangeOf(`${address}:${port}`, range.rule);
    }
    return undefined;
  }

  /** From now on the rule's ports lead to the first of these points at their address. The reason where the kernel refuses. */
  lead(listener: Listener, wanted: ReadonlyMap<string, BindPoint>, points: Points): string | undefined {
    const steering = this.#try();
    if (typeof steering === 'string') return steering;
    const { id: rule, entries: addresses, ports } = listener;
    const before = this.#ranges.get(rule);
    for (const address of before?.addresses ?? [])
      if (!addresses.includes(address)) steering.delete(`${rule} ${address}`);
    this.#ranges.set(rule, { rule, addresses, ports });
    for (const address of addresses) {
      const { key = '' } = [...wanted.values()].find((point) => point.address === address) ?? {};
      const fd = points.get(key)?.fds.flat()[0] ?? -1;
      const refused = steering.set(`${rule} ${address}`, { address, ports, fd });
      if (refused !== undefined) return `${address}: the kernel does not lead the range to its socket (${refused})`;
    }
    return undefined;
  }

  /** Its ports lead nowhere any more; connections that came are in the socket. Unknown rules are fine. */
  leave(rule: string): void {
    const range = this.#ranges.get(rule);
    if (!range || !(this.#steering instanceof Steering)) return;
    for (const address of range.addresses) this.#steering.delete(`${rule} ${address}`);
    this.#ranges.delete(rule);
  }

  close(): void {
    if (this.#steering instanceof Steering) this.#steering.close();
    this.#steering = 'the engine is stopping';
  }

  #try(): Steering | string {
    if (this.#steering !== undefined) return this.#steering;
    try {
      this.#steering = new Steering();
    } catch (error) {
      this.#steering = `sk_lookup needs CAP_BPF and CAP_NET_ADMIN (${(error as Error).message})`;
    }
    return this.#steering;
  }
}

/** The ports of this address for which the previous process has left a socket that is not taken yet. */
function inheritedPorts(address: string, sockets: Inherited | undefined): number[] {
  const prefix = bindKey('TCP', address, 0).slice(0, -1);
  const keys = (sockets?.parts.keys ?? []).filter((key) => key.startsWith(prefix) && sockets?.has(key));
  return [...new Set(keys)].map((key) => Number(key.slice(prefix.length)));
}

/** Those of the listener's points that may not be free: where a socket listens, or a privilege is needed. */
function suspects({ protocol, entries, ports }: Listener): BindPoint[] {
  const suspect = listeningPorts();
  for (const { from, to } of ports) for (let port = from; port <= to && port < UNPRIVILEGED; port++) suspect.add(port);
  const mine = [...suspect].filter((port) => isAmong(ports, port));
  return entries.flatMap((address) =>
    mine.map((port) => ({ protocol, address, port, key: bindKey(protocol, address, port) })),
  );
}

function isAmong(spans: readonly PortSpan[], port: number): boolean {
  return spans.some(({ from, to }) => port >= from && port <= to);
}

function inRangeOf(where: string, rule: string): string {
  return `TCP ${where} is in the range of rule ${rule}; change one of them`;
}

/** How so many ports (times addresses) came to so many sockets. `why`: of a socket for each; undefined: they are led. */
export function noteOf(ports: number, sockets: number, why: string | undefined): string {
  const way = why === undefined ? 'behind eBPF sk_lookup' : `one per port: ${why}`;
  return `${ports} ports, ${sockets} ${sockets === 1 ? 'socket' : 'sockets'} ${way}`;
}

/** Why ranges have a socket per port here, in words; undefined: they have not. Asked by doing it, without a port. */
export function whyPerPort(): string | undefined {
  const ranges = new Ranges();
  const { lacking } = ranges;
  ranges.close();
  return lacking;
}
