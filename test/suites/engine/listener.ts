/** Listeners for tests: everything set, nothing bound, forwarding nowhere until a test says otherwise. */
import { DEFAULT_CARE } from '../../../src/domain/l4-rule/options.ts';
import type { Listener, Target } from '../../../src/engines/engine.ts';
import type { EntrySpec, RuleSpec } from '../../../src/engines/uring/worker/messages.ts';

export function listener(change: Partial<Listener>): Listener {
  return {
    id: 'rule-1',
    zone: 'zone-test',
    proxy: 'sid-test',
    protocol: 'TCP',
    entries: [],
    ports: [],
    targets: [],
    originPorts: { from: 1, to: 1 },
    mode: 'OFF',
    persistSeconds: 0,
    failover: 'origin',
    options: options(),
    ...change,
  };
}

export function options(change: Partial<Listener['options']> = {}): Listener['options'] {
  return {
    connectTimeoutMs: 5000,
    idleSeconds: 600,
    drain: { how: 'drain', seconds: 30 },
    recordOneIn: 1,
    ...DEFAULT_CARE,
    ...change,
  };
}

const numbers = new Map<string, number>();

/** Numbered as an edge does: the same for the same address. */
export function target(address: string, weight = 10, tier = 0): Target {
  const number = numbers.get(address) ?? numbers.size;
  numbers.set(address, number);
  return { number, address, weight, tier };
}

/** The part of a rule that leads to these origins, which listen on one port. */
export function leadsTo(...origins: { readonly address: string; readonly port: number }[]): Partial<Listener> {
  const port = origins[0]?.port ?? 1;
  return { targets: origins.map(({ address }) => target(address)), originPorts: { from: port, to: port } };
}

/** The same as a worker of the uring engine is told: rule 0, one origin, these sockets; `row` is what it counts in. */
export function workerRule(
  origin: string,
  entries: readonly EntrySpec[],
  row: Float64Array,
  change: Partial<RuleSpec> = {},
): RuleSpec {
  return {
    index: 0,
    protocol: 'TCP',
    mode: 'OFF',
    targets: [{ number: 0, address: origin, weight: 1 }],
    turns: [Uint16Array.of(0)],
    originPorts: { from: 1, to: 1 },
    persistSeconds: 0,
    failover: 'origin',
    options: options(),
    entries,
    row: row.buffer as SharedArrayBuffer,
    position: new SharedArrayBuffer(4),
    persistence: undefined,
    ...change,
  };
}

export function firstPort(listener: Listener): number {
  return listener.ports[0]?.from ?? 0;
}

/** Where its clients connect to. */
export function entryOf(listener: Listener): [address: string, port: number] {
  return [listener.entries[0] ?? '', firstPort(listener)];
}
