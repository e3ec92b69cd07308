/**
 * Listening sockets handed over by the previous process, by their bound address, until an engine or listener takes them.
 * All threads of the process share them: descriptors are numbers of the process, and each is taken once.
 */
import { formatAddress, parseAddress } from '../lib/net/address.ts';

/** The form that can be sent to a thread. */
export interface InheritedParts {
  readonly keys: readonly string[];
  /** A descriptor for each key; −1: taken. */
  readonly descriptors: SharedArrayBuffer;
  /** The system's number of each socket: the same in both processes. */
  readonly numbers: readonly number[];
  /** One word: not 0 once they are served here. */
  readonly begun: SharedArrayBuffer;
}

export interface Socket {
  readonly fd: number;
  readonly number: number;
}

/** `TCP 127.0.0.1 443`: the same text as a rule's bind point has. */
export function bindKey(protocol: 'TCP' | 'UDP', address: string, port: number): string {
  return `${protocol} ${address} ${port}`;
}

export class Inherited {
  readonly parts: InheritedParts;
  readonly #descriptors: Int32Array;
  readonly #places = new Map<string, number[]>();

  constructor(parts: InheritedParts) {
    this.parts = parts;
    this.#descriptors = new Int32Array(parts.descriptors);
    for (const [i, key] of parts.keys.entries()) {
      const places = this.#places.get(key);
      if (places) places.push(i);
      else this.#places.set(key, [i]);
    }
  }

  static of(sockets: readonly (Socket & { readonly key: string })[]): Inherited {
    const descriptors = new SharedArrayBuffer(4 * sockets.length);
    new Int32Array(descriptors).set(sockets.map(({ fd }) => fd));
    return new Inherited({
      keys: sockets.map(({ key }) => key),
      descriptors,
      numbers: sockets.map(({ number }) => number),
      begun: new SharedArrayBuffer(4),
    });
  }

  /** Whether one is left. */
  has(key: string): boolean {
    return (this.#places.get(key) ?? []).some((place) => Atomics.load(this.#descriptors, place) >= 0);
  }

  /** Until then the previous process serves them, and no connection may be accepted from them here. */
  get hasBegun(): boolean {
    return Atomics.load(new Int32Array(this.parts.begun), 0) !== 0;
  }

  begin(): void {
    Atomics.store(new Int32Array(this.parts.begun), 0, 1);
  }

  /** Takes every socket that is bound there and left. */
  take(key: string): Socket[] {
    const taken: Socket[] = [];
    for (const place of this.#places.get(key) ?? []) {
      const fd = Atomics.exchange(this.#descriptors, place, -1);
      if (fd >= 0) taken.push({ fd, number: this.parts.numbers[place] ?? 0 });
    }
    return taken;
  }

  /** Takes one socket, for a caller that listens by host and port; the host may be a name. */
  takeOne(protocol: 'TCP' | 'UDP', host: string, port: number): number | undefined {
    const bytes = parseAddress(host);
    const key = bytes
      ? bindKey(protocol, formatAddress(bytes), port)
      : this.parts.keys.find((key) => key.startsWith(`${protocol} `) && key.endsWith(` ${port}`));
    return this.take(key ?? '')[0]?.fd;
  }

  /** The sockets that are left. */
  open(): number[] {
    return [...this.#descriptors].filter((fd) => fd >= 0);
  }

  /** Closes the sockets that are left: clients are refused there from now on. */
  takeRest(): Socket[] {
    return [...this.#places.keys()].flatMap((key) => this.take(key));
  }
}
