/**
 * Leads every port of a range to one socket (program.ts says how). The program is loaded and attached with the first range
 * and goes with the process, or with close(). It refuses to know rules: the caller (ranges.ts) says which ports of which
 * address lead to which socket, and that no other socket has them.
 */
import { close, errnoName, openFile } from '../../../linux/ffi/libc.ts';
import type { PortSpan } from '../../../lib/net/ports.ts';
import { O_CLOEXEC } from '../../../linux/abi.ts';
import {
  BPF_F_NO_PREALLOC,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_SOCKMAP,
  BPF_PROG_TYPE_SK_LOOKUP,
  BPF_SK_LOOKUP,
} from '../../../linux/ebpf/abi.ts';
import { createLink, createMap, deleteElement, loadProgram, setElement } from '../../../linux/ebpf/calls.ts';
import { KEY, steerProgram } from './program.ts';
import { keyOf, prefixesOf } from './prefixes.ts';

/** limit: one place per range and address; 32 KiB. */
const MOST_SOCKETS = 4096;
/** limit: a range has at most thirty prefixes; memory is taken as they come. */
const MOST_PREFIXES = 1 << 17;

/** Ports of an address that lead to a listening socket; where that is one of a SO_REUSEPORT group, to the group. */
interface Steered {
  readonly address: string;
  readonly ports: readonly PortSpan[];
  readonly fd: number;
}

export class Steering {
  readonly #open: number[] = [];
  readonly #tree: number;
  readonly #sockets: number;
  readonly #free: number[] = [];
  /** By name: where its socket is, and the keys that lead there. */
  readonly #known = new Map<string, { place: number; fd: number; keys: Map<string, Uint8Array> }>();

  /** Throws with a reason where it can't be done: kernel, privileges. */
  constructor() {
    const keep = (fd: number, what: string): number => {
      if (fd >= 0) return (this.#open.push(fd), fd);
      this.close();
      throw new Error(`${what}: ${errnoName(fd)}`);
    };
    this.#sockets = keep(
      createMap({ type: BPF_MAP_TYPE_SOCKMAP, keySize: 4, valueSize: 8, entries: MOST_SOCKETS }),
      'the kernel refuses its map',
    );
    this.#tree = keep(
      createMap({
        type: BPF_MAP_TYPE_LPM_TRIE,
        keySize: KEY.bytes,
        valueSize: 4,
        entries: MOST_PREFIXES,
        flags: BPF_F_NO_PREALLOC,
      }),
      'the kernel refuses its map',
    );
    const code = steerProgram(this.#tree, this.#sockets);
    const program = keep(loadProgram(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, code), 'the kernel refuses its program');
    const namespace = keep(openFile('/proc/thread-self/ns/net', O_CLOEXEC), 'its network namespace');
    keep(createLink(program, namespace, BPF_SK_LOOKUP), 'its program cannot be attached');
    for (let place = MOST_SOCKETS - 1; place >= 0; place--) this.#free.push(place);
  }

  /**
   * From now on exactly these ports lead there; what led there before and still does never stops to. The error's name where
   * the kernel refuses: some of the ports may lead there then, until delete().
   */
  set(name: string, { address, ports, fd }: Steered): string | undefined {
    const before = this.#known.get(name);
    const place = before?.place ?? this.#free.pop();
    if (place === undefined) return 'ENOSPC';
    const keys = new Map<string, Uint8Array>();
    for (const prefix of ports.flatMap(prefixesOf)) {
      const key = keyOf(address, prefix);
      keys.set(key.join(), key);
    }
    const known = { place, fd, keys: new Map([...(before?.keys ?? []), ...keys]) };
    this.#known.set(name, known);
    let result = before?.fd === fd ? 0 : setElement(this.#sockets, words(place), descriptor(fd));
    for (const key of keys.values()) if (result >= 0) result = setElement(this.#tree, key, words(place));
    if (result < 0) return errnoName(result);
    for (const [text, key] of before?.keys ?? []) if (!keys.has(text)) deleteElement(this.#tree, key);
    known.keys = keys;
    return undefined;
  }

  /** Unknown names are fine. */
  delete(name: string): void {
    const known = this.#known.get(name);
    if (!known) return;
    for (const key of known.keys.values()) deleteElement(this.#tree, key);
    deleteElement(this.#sockets, words(known.place));
    this.#known.delete(name);
    this.#free.push(known.place);
  }

  /** May be called twice. */
  close(): void {
    for (const fd of this.#open.splice(0).reverse()) close(fd);
  }
}

function words(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function descriptor(fd: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(fd)).buffer);
}
