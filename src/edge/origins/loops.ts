/**
 * The listeners of this edge, and the rules that lead there. A target that is a listener of the edge, of the rule itself or
 * of another, is never dialled: such rules could feed each other until the machine has nothing left. Pure. origins.ts owns
 * one, and has rules applied again when it says so.
 */
import type { Protocol } from '../../domain/l4-rule/modes.ts';
import { formatAddress, parseAddress, unmappedBytes } from '../../lib/net/address.ts';
import { type PortSpan, spansOverlap } from '../../lib/net/ports.ts';
import type { Listener } from '../../engines/engine.ts';

export type Listening = Pick<Listener, 'protocol' | 'entries' | 'ports'>;
type Leading = Pick<Listener, 'protocol' | 'targets' | 'originPorts'>;

/** Stands for every address of the machine. */
const ANY = '*';
/** limit: rules that share an address are found by their ports, so that ten thousand of them don't look at each other. */
const BLOCK = 256;

type Index<T> = Map<string, Map<string, T>>;

export class Loops {
  readonly #isLocal: (address: string) => boolean;
  /** Protocol, address and block of ports → rule → its ports. */
  readonly #listening: Index<readonly PortSpan[]> = new Map();
  readonly #listens = new Map<string, Listening>();
  /** Protocol, target's address and block of ports → rule → the ports that it leads to. */
  readonly #leading: Index<readonly PortSpan[]> = new Map();
  readonly #leads = new Map<string, { readonly by: Leading; readonly keys: ReadonlySet<string> }>();

  /** `isLocal`: whether a listener on every address answers on this one. */
  constructor(isLocal: (address: string) => boolean) {
    this.#isLocal = isLocal;
  }

  /** The rule listens there now, or no more. Gives the other rules that lead to what is different. */
  listens(rule: string, now: Listening | undefined): Set<string> {
    const before = this.#listens.get(rule);
    const affected = new Set<string>();
    if (before && now && isSamePlace(before, now)) return affected;
    for (const one of [before, now]) {
      if (!one) continue;
      for (const key of keysOf(one.protocol, one.entries.map(placeOf), one.ports)) {
        put(this.#listening, key, rule, one === now ? one.ports : undefined);
        for (const [user, ports] of this.#leading.get(key) ?? [])
          if (spansOverlap(ports, one.ports)) affected.add(user);
      }
    }
    if (now) this.#listens.set(rule, now);
    else this.#listens.delete(rule);
    affected.delete(rule);
    return affected;
  }

  /** The rule leads there from now on; undefined: nowhere. */
  leads(rule: string, now: Leading | undefined): void {
    for (const key of this.#leads.get(rule)?.keys ?? []) put(this.#leading, key, rule, undefined);
    if (!now) return void this.#leads.delete(rule);
    const places = now.targets.flatMap(({ address }) => this.#placesOf(address));
    const keys = new Set(keysOf(now.protocol, places, [now.originPorts]));
    for (const key of keys) put(this.#leading, key, rule, [now.originPorts]);
    this.#leads.set(rule, { by: now, keys });
  }

  /** The machine has other addresses. Gives the rules to which that may make a difference. */
  localChanged(): readonly string[] {
    const rules = [...this.#leads];
    for (const [rule, { by }] of rules) this.leads(rule, by);
    const hasWildcard = [...this.#listens.values()].some(({ entries }) =>
      entries.some((entry) => placeOf(entry) === ANY),
    );
    return hasWildcard ? rules.map(([rule]) => rule) : [];
  }

  /** The ports of `listener` at its target `address` that are listeners of the edge, itself included, in order. */
  portsThatLoop(listener: Listening & Leading, address: string): readonly PortSpan[] {
    const places = this.#placesOf(address);
    const { from, to } = listener.originPorts;
    const found: PortSpan[] = [];
    const take = (ports: readonly PortSpan[]): void => {
      for (const span of ports)
        if (span.from <= to && from <= span.to)
          found.push({ from: Math.max(span.from, from), to: Math.min(span.to, to) });
    };
    for (const key of keysOf(listener.protocol, places, [listener.originPorts]))
      this.#listening.get(key)?.forEach(take);
    if (listener.entries.some((entry) => places.includes(placeOf(entry)))) take(listener.ports);
    return merged(found);
  }

  isListener(protocol: Protocol, address: string, port: number): boolean {
    const there = { protocol, entries: [], ports: [], targets: [], originPorts: { from: port, to: port } };
    return this.portsThatLoop(there, address).length > 0;
  }

  /** Where a listener would be that answers on the address. */
  #placesOf(address: string): readonly string[] {
    const target = plain(address);
    return this.#isLocal(target) ? [target, ANY] : [target];
  }
}

function placeOf(entry: string): string {
  return entry === '0.0.0.0' || entry === '::' ? ANY : plain(entry);
}

function* keysOf(protocol: string, places: readonly string[], ports: readonly PortSpan[]): Generator<string> {
  for (const place of places)
    for (const { from, to } of ports)
      for (let block = Math.floor(from / BLOCK); block <= Math.floor(to / BLOCK); block++)
        yield `${protocol} ${place} ${block}`;
}

/** An IPv4 address in IPv6 clothes leads where the IPv4 address does. */
function plain(text: string): string {
  const bytes = parseAddress(text);
  return bytes ? formatAddress(unmappedBytes(bytes)) : text;
}

function put<T>(index: Index<T>, key: string, rule: string, value: T | undefined): void {
  const rules = index.get(key) ?? new Map<string, T>();
  if (value === undefined) rules.delete(rule);
  else rules.set(rule, value);
  if (rules.size === 0) index.delete(key);
  else index.set(key, rules);
}

function isSamePlace(a: Listening, b: Listening): boolean {
  return (
    a.protocol === b.protocol &&
    a.entries.join() === b.entries.join() &&
    a.ports.map(({ from, to }) => `${from}-${to}`).join() === b.ports.map(({ from, to }) => `${from}-${to}`).join()
  );
}

function merged(spans: readonly PortSpan[]): PortSpan[] {
  const all: PortSpan[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const before = all.at(-1);
    if (before && span.from <= before.to + 1)
      all[all.length - 1] = { from: before.from, to: Math.max(before.to, span.to) };
    else all.push(span);
  }
  return all;
}
