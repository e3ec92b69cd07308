/**
 * Wide ranges of TCP ports, as the agent's thread sees them: whether one socket can take a rule's range (else it has a
 * socket per port), which port that socket is bound to, and that nobody else has the others. plane.ts asks; steering.ts
 * does it. It refuses to bind anything: the one socket is a bind point like any other, to workers and to an upgrade.
 */
import { spanSize, spansOverlap, type PortSpan } from '../../../../lib/net/ports.ts';
import { bindKey, type Inherited } from '../../../../lib/handoff/inherited.ts';
import type { Listener } from '../../../engine.ts';
import { bindReason } from '../../../flow/causes.ts';
import { bindPoints, type BindPoint } from '../../../flow/endpoints.ts';
import { WIDE, type Dealt, whyRefused } from '../sockets.ts';
import { listeningPorts } from './listening.ts';
import { Steering } from './steering.ts';

/** limit: ports below this may need a privilege. */
const UNPRIVILEGED = 1024;
const UNSPECIFIED = new Set(['0.0.0.0', '::']);

interface Range {
  readonly rule: string;
  readonly addresses: readonly string[];
  readonly ports: readonly PortSpan[];
}

/** What of a rule is bound: a socket and its point, by the point's key. */
export type Points = ReadonlyMap<string, { readonly point: BindPoint; readonly fds: Dealt }>;

export class Ranges {
  /** A text: why there is none. undefined: nobody has needed it yet. */
  #steering: Steering | string | undefined;
  readonly #ranges = new Map<string, Range>();

  constructor(steered = true) {
    if (!steered) this.#steering = 'it is switched off';
  }

  /** Why ranges have a socket per port here, in words. Asking tries it. */
  get lacking(): string | undefined {
    const steering = this.#try();
    return typeof steering === 'string' ? steering : undefined;
  }

  /**
   * Whether one socket is to take the rule's ports. not: those that have a socket each already (points, or the process
   * before this one): what waits in one would be lost. They get one when they are bound anew.
   */
  takes(listener: Listener, points: Points, sockets: Inherited | undefined): boolean {
    const { protocol, entries } = listener;
    // wire: a UDP reply has to leave from the port that the client spoke to, so each port needs its own socket anyway.
    if (protocol !== 'TCP' || entries.some((address) => UNSPECIFIED.has(address))) return false;
    const count = entries.length * listener.ports.reduce((sum, span) => sum + spanSize(span), 0);
    if (count <= WIDE || points.size > WIDE) return false;
    const last = listener.ports.at(-1)?.to ?? 0;
    const isInherited = entries.some((address) => sockets?.has(bindKey(protocol, address, last)));
    return !isInherited && typeof this.#try() !== 'string';
  }

  /** One of the ports is somebody else's: the reason, in words. `points`: the rule's own. */
  whyTaken(listener: Listener, points: Points): string | undefined {
    const known = this.#ranges.get(listener.id);
    const others = [...this.#ranges.values()].filter(({ rule }) => rule !== listener.id);
    for (const { rule, addresses, ports } of others) {
      const both = listener.entries.find((address) => addresses.includes(address));
      if (both !== undefined && spansOverlap(ports, listener.ports)) return inRangeOf(both, rule);
    }
    const anchors = anchorPoints(listener);
    for (const point of suspects(listener)) {
      const { key, port, address } = point;
      // not: what the rule has, and what is about to be bound (or inherited, and then somebody listens there: we).
      const isMine = known?.addresses.includes(address) && isAmong(known.ports, port);
      if (isMine || points.has(key) || anchors.has(key)) continue;
      const refused = whyRefused(point);
      if (refused !== undefined) return bindReason(refused, point, 1);
    }
    return undefined;
  }

  /** Whether the rule's ports are led to one socket now. */
  has(rule: string): boolean {
    return this.#ranges.has(rule);
  }

  /** For a point that is to have a socket of its own. */
  whySteered(rule: string, { protocol, address, port }: BindPoint): string | undefined {
    if (protocol !== 'TCP') return undefined;
    for (const range of this.#ranges.values()) {
      if (range.rule === rule || !range.addresses.includes(address)) continue;
      if (isAmong(range.ports, port)) return inRangeOf(`${address}:${port}`, range.rule);
    }
    return undefined;
  }

  /** From now on the rule's ports lead to the sockets of these points. The reason where the kernel refuses. */
  lead(listener: Listener, points: Points): string | undefined {
    const steering = this.#try();
    if (typeof steering === 'string') return steering;
    const { id: rule, entries: addresses, ports } = listener;
    const before = this.#ranges.get(rule);
    for (const address of before?.addresses ?? [])
      if (!addresses.includes(address)) steering.delete(`${rule} ${address}`);
    this.#ranges.set(rule, { rule, addresses, ports });
    for (const { key, address } of anchorPoints(listener).values()) {
      const fd = points.get(key)?.fds.flat()[0] ?? -1;
      const refused = steering.set(`${rule} ${address}`, { address, ports, fd });
      if (refused !== undefined) return `${address}: the kernel does not lead the range to its socket (${refused})`;
    }
    return undefined;
  }

  /** Its ports lead nowhere any more; what came is in the socket. Unknown rules are fine. */
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
      this.#steering = (error as Error).message;
    }
    return this.#steering;
  }
}

/** What a steered rule binds: the first port of each address. */
export function anchorPoints(listener: Listener): Map<string, BindPoint> {
  const [first] = listener.ports;
  return bindPoints({ ...listener, ports: first ? [{ from: first.from, to: first.from }] : [] });
}

/** Of the listener's points those that may be somebody else's: where somebody listens, or a privilege is needed. */
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
