/**
 * What listens on this edge, and which rules lead there. A target that is a listener of the edge, of the rule itself or of
 * another, is never dialled: such rules could feed each other until nothing is left for anybody. Pure; reconcile.ts tells
 * it what is served, and judges rules anew when it says so.
 */
import { formatAddress, parseAddress, unmappedBytes } from '../../lib/net/address.ts';
import type { PortSpan } from '../../lib/net/ports.ts';
import type { Listener } from '../engine.ts';

type Serving = Pick<Listener, 'protocol' | 'entries' | 'ports'>;
type Using = Pick<Listener, 'protocol' | 'targets' | 'originPorts'>;

const WILDCARDS = ['0.0.0.0', '::'] as const;

export class Loops {
  readonly #isLocal: (address: string) => boolean;
  /** Protocol and address → rule → its ports. */
  readonly #serving = new Map<string, Map<string, readonly PortSpan[]>>();
  readonly #served = new Map<string, Serving>();
  /** Protocol and target's address → rule → the ports that it leads to. */
  readonly #using = new Map<string, Map<string, PortSpan>>();
  readonly #used = new Map<string, readonly string[]>();

  /** `isLocal`: whether a wildcard listener answers on the address. */
  constructor(isLocal: (address: string) => boolean) {
    this.#isLocal = isLocal;
  }

  /** Some listener answers on every address of the machine. */
  get hasWildcard(): boolean {
    return [...this.#serving.keys()].some((key) => WILDCARDS.some((wildcard) => key.endsWith(` ${wildcard}`)));
  }

  /** The rule listens there now, or no more. Gives the other rules that lead to what is different. */
  serves(rule: string, now: Serving | undefined): Set<string> {
    const before = this.#served.get(rule);
    const affected = new Set<string>();
    if (before && now && sameServing(before, now)) return affected;
    for (const one of [before, now]) {
      for (const entry of one?.entries ?? []) {
        const key = `${one!.protocol} ${plain(entry)}`;
        put(this.#serving, key, rule, one === now ? now!.ports : undefined);
        for (const user of this.#usersOf(key, one!.ports)) affected.add(user);
      }
    }
    if (now) this.#served.set(rule, now);
    else this.#served.delete(rule);
    affected.delete(rule);
    return affected;
  }

  /** The rule leads there from now on; undefined: nowhere. */
  uses(rule: string, now: Using | undefined): void {
    for (const key of this.#used.get(rule) ?? []) put(this.#using, key, rule, undefined);
    if (!now) return void this.#used.delete(rule);
    const keys = now.targets.map(({ address }) => `${now.protocol} ${plain(address)}`);
    for (const key of keys) put(this.#using, key, rule, now.originPorts);
    this.#used.set(rule, keys);
  }

  /** Every rule that leads to an address of this machine. */
  *localUsers(): Generator<string> {
    for (const [key, rules] of this.#using) if (this.#isLocal(key.slice(key.indexOf(' ') + 1))) yield* rules.keys();
  }

  /** The ports of `listener` at its target `address` that are listeners of the edge, itself included, in order. */
  portsThatLoop(listener: Serving & Using, address: string): readonly PortSpan[] {
    const target = plain(address);
    const places = this.#isLocal(target) ? [target, ...WILDCARDS] : [target];
    const found = places.flatMap((place) =>
      [...(this.#serving.get(`${listener.protocol} ${place}`)?.values() ?? [])].flat(),
    );
    if (listener.entries.some((entry) => places.includes(plain(entry)))) found.push(...listener.ports);
    const { from, to } = listener.originPorts;
    return merged(
      found
        .filter((span) => span.from <= to && from <= span.to)
        .map((span) => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) })),
    );
  }

  *#usersOf(key: string, ports: readonly PortSpan[]): Generator<string> {
    const [protocol = '', address = ''] = key.split(' ');
    const isWildcard = WILDCARDS.some((wildcard) => wildcard === address);
    for (const [used, rules] of isWildcard ? this.#using : [[key, this.#using.get(key)] as const]) {
      if (isWildcard && !(used.startsWith(`${protocol} `) && this.#isLocal(used.slice(protocol.length + 1)))) continue;
      for (const [rule, { from, to }] of rules ?? [])
        if (ports.some((span) => span.from <= to && from <= span.to)) yield rule;
    }
  }
}

/** An IPv4 address in IPv6 clothes leads where the IPv4 address does. */
function plain(text: string): string {
  const bytes = parseAddress(text);
  return bytes ? formatAddress(unmappedBytes(bytes)) : text;
}

function put<T>(index: Map<string, Map<string, T>>, key: string, rule: string, value: T | undefined): void {
  const rules = index.get(key) ?? new Map<string, T>();
  if (value === undefined) rules.delete(rule);
  else rules.set(rule, value);
  if (rules.size === 0) index.delete(key);
  else index.set(key, rules);
}

function sameServing(a: Serving, b: Serving): boolean {
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
