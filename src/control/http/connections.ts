/**
 * The connections to control's port: how many there may be, from one peer and in all, and which one makes room when there
 * are too many. One that has a whole call under way is never closed for another; of the rest the one that has been waited
 * for longest goes first, and those that never brought a valid signature before those that did. Used by http.ts.
 */
import type { Socket } from 'node:net';
import { parseAddress, unmappedBytes } from '../../lib/net/address.ts';

/** A call that has begun and whose answer has not been sent. */
export class UnderWay {
  readonly #request: { readonly complete: boolean };
  /** Its body is waited for; where the sender is broken, it never comes. */
  receiving = false;
  /** Ends it, while it is still being received or only waits for its peer to send or to read. */
  giveUp: (() => void) | undefined;

  constructor(request: { readonly complete: boolean }) {
    this.#request = request;
  }

  /** An answer comes, unless it is given up. */
  get isHeard(): boolean {
    return this.#request.complete || !this.receiving;
  }
}

export class Connection {
  readonly socket: Socket;
  readonly peer: string;
  /** A request has come on it. */
  hasCalled = false;
  /** A call on it had a valid signature. */
  signed = false;
  readonly underWay = new Set<UnderWay>();
  /** Set where a call was answered before its end: the rest of it need not be heard. */
  endDrain: (() => void) | undefined;
  /** It is closed behind the calls under way: later ones are not heard. */
  last = false;
  /** Says the last thing, behind their answers. */
  whenAnswered: (() => void) | undefined;

  constructor(socket: Socket, peer: string) {
    this.socket = socket;
    this.peer = peer;
  }

  get canGo(): boolean {
    return this.underWay.values().every(({ giveUp }) => giveUp !== undefined);
  }

  get owes(): boolean {
    return this.underWay.values().some(({ isHeard }) => isHeard);
  }

  go(): void {
    for (const { giveUp } of this.underWay) giveUp?.();
    // order: an answer that has just been written is sent first.
    this.socket.destroySoon();
  }
}

export type Full = 'api-connections' | 'api-connections-per-peer';

interface ConnectionLimits {
  readonly most: number;
  readonly mostPerPeer: number;
  /** Called once for each connection that is closed for another. */
  refused(budget: Full): void;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  /** In the order in which they were opened or last answered. */
  readonly #open = new Map<Socket, Connection>();
  readonly #peers = new Map<string, Set<Connection>>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /** There are some on which no request has come yet. */
  get hasSilent(): boolean {
    return this.#open.values().some(({ hasCalled }) => !hasCalled);
  }

  /** undefined for one that was refused, or had to go. */
  of(socket: Socket): Connection | undefined {
    return this.#open.get(socket);
  }

  /** The budget it is refused for, where none can make room. */
  admit(socket: Socket): Full | undefined {
    const connection = new Connection(socket, peerOf(socket.remoteAddress ?? ''));
    const { most, mostPerPeer } = this.#limits;
    const peers = this.#peers.get(connection.peer) ?? new Set();
    if (peers.size >= mostPerPeer && !this.#makeRoom(peers, 'api-connections-per-peer'))
      return 'api-connections-per-peer';
    if (this.#open.size >= most && !this.#makeRoom(this.#open.values(), 'api-connections')) return 'api-connections';
    this.#open.set(socket, connection);
    this.#peers.set(connection.peer, peers.add(connection));
    socket.once('close', () => this.#forget(connection));
    return undefined;
  }

  /** A call on it was answered. It is waited for from now on. */
  answered(connection: Connection): void {
    const { socket, peer } = connection;
    if (!this.#open.delete(socket)) return;
    this.#open.set(socket, connection);
    const peers = this.#peers.get(peer);
    if (peers?.delete(connection)) peers.add(connection);
  }

  #makeRoom(candidates: Iterable<Connection>, budget: Full): boolean {
    let chosen: Connection | undefined;
    for (const candidate of candidates) {
      if (!candidate.canGo) continue;
      chosen ??= candidate;
      if (candidate.signed) continue;
      chosen = candidate;
      break;
    }
    if (!chosen) return false;
    this.#limits.refused(budget);
    this.#forget(chosen);
    chosen.go();
    return true;
  }

  #forget(connection: Connection): void {
    if (!this.#open.delete(connection.socket)) return;
    const peers = this.#peers.get(connection.peer);
    peers?.delete(connection);
    if (peers?.size === 0) this.#peers.delete(connection.peer);
  }
}

/** An IPv4 address, also one mapped into IPv6, or the /64 that one host of IPv6 has all of. */
export function peerOf(address: string): string {
  const parsed = parseAddress(address.split('%')[0] ?? '');
  if (parsed === undefined) return address;
  const bytes = unmappedBytes(parsed);
  return Buffer.from(bytes.length === 4 ? bytes : bytes.subarray(0, 8)).toString('hex');
}
