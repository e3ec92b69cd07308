/**
 * What the engine cases stand on: one engine per suite, a fresh rule per case, and origins and clients on loopback
 * addresses that no other case uses. An engine brings its factory; one that works elsewhere says where (`settle`).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, EngineFactory, Listener, TargetOutcomes } from '../../../src/engines/engine.ts';
import type { ConnectionRecord, RuleCounters } from '../../../src/domain/fact/fact.ts';
import { listener } from './listener.ts';

export interface EngineUnderTest {
  readonly create: EngineFactory;
}

/** Where the cases live: a new IPv4 address each time, for origins and clients, and for entries. */
interface Places {
  address(): string;
  entry(): string;
  /** Another program listens there until the result is called. Default: this one does. */
  occupy?(address: string, port: number): Promise<() => Promise<unknown>>;
}

export interface EngineWorld {
  readonly engine: Engine;
  address(): string;
  entry(): string;
  /** A rule nobody has: one entry address, one free port, TCP, OFF. */
  rule(change?: Partial<Listener>): Promise<Listener>;
  /** Applies, and fails the case with the engine's reason where it refuses. */
  up(listener: Listener): Promise<Listener>;
  records(rule: string): ConnectionRecord[];
  /** What has been told of a target, by its number, oldest first. */
  outcomes(target: number): TargetOutcomes[];
  /** The same, added up. */
  outcomeCounts(target: number): Record<string, number>;
  /** The records that end a connection of the rule, once there are so many. */
  ended(rule: string, count?: number): Promise<ConnectionRecord[]>;
  counters(rule: string): Promise<RuleCounters>;
  /** Until so many are open: an engine may count those now and then only. */
  active(rule: string, count: number): Promise<void>;
}

let used = 0;
/** 127.64.0.0–127.191.255.255: each process starts somewhere else, so that files can run side by side. */
export function loopback(): string {
  const n = process.pid * 1021 + ++used;
  return `127.${64 + (Math.floor(n / 65_024) % 128)}.${Math.floor(n / 254) % 256}.${1 + (n % 254)}`;
}

let places: Places = { address: loopback, entry: loopback };
/** From now on, in this process, the cases live there. */
export function settle(there: Places): void {
  places = there;
}

export function anAddress(): string {
  return places.address();
}

export function anEntry(): string {
  return places.entry();
}

export function occupy(address: string, port: number): Promise<() => Promise<unknown>> {
  return places.occupy?.(address, port) ?? listenAt(address, port);
}

async function listenAt(address: string, port: number): Promise<() => Promise<unknown>> {
  const server = createServer().listen(port, address);
  await once(server, 'listening');
  return () => {
    server.close();
    return once(server, 'close');
  };
}

/** Call inside a `describe`: the engine lives as long as its cases. */
export function engineWorld(under: EngineUnderTest): EngineWorld {
  const seen: ConnectionRecord[] = [];
  const told: TargetOutcomes[] = [];
  let engine: Engine | undefined;
  let rules = 0;
  before(async () => {
    engine = await under.create({
      record: (record) => seen.push(record),
      listener() {},
      outcomes: (batch) => told.push(...batch),
      log() {},
    });
  });
  after(() => engine?.stop(0));

  const world: EngineWorld = {
    get engine() {
      assert.ok(engine);
      return engine;
    },
    address: anAddress,
    entry: anEntry,
    async rule(change = {}) {
      const entries = change.entries ?? [world.entry()];
      const port = await freePort(entries[0]);
      return listener({ id: `rule-${process.pid}-${++rules}`, entries, ports: [{ from: port, to: port }], ...change });
    },
    async up(listener) {
      const applied = await world.engine.apply(listener);
      assert.ok(applied.ok, JSON.stringify(applied));
      return listener;
    },
    outcomes: (target) => told.filter((one) => one.target === target),
    outcomeCounts(target) {
      const sum: Record<string, number> = {};
      for (const { counts } of world.outcomes(target))
        for (const [kind, count] of Object.entries(counts)) sum[kind] = (sum[kind] ?? 0) + count;
      return sum;
    },
    records: (rule) => seen.filter((record) => record.rule === rule),
    async ended(rule, count = 1) {
      const ended = (): ConnectionRecord[] => world.records(rule).filter((record) => record.end);
      await eventually(() => assert.ok(ended().length >= count, `${ended().length} of ${count} records`));
      return ended();
    },
    async counters(rule) {
      const counters = (await world.engine.counters()).get(rule);
      assert.ok(counters, `no counters of ${rule}`);
      return counters;
    },
    active: (rule, count) => eventually(async () => assert.equal((await world.counters(rule)).active, count)),
  };
  return world;
}

/** A port that nobody listens on at this address; free for TCP and, among test addresses, for UDP as well. */
export function freePort(address = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0));
    });
  });
}

/** limit: what a machine with a load of 20 on two cores takes for anything; only a failing case waits so long. */
export const PATIENCE_MS = 60_000;

/** Runs the check until it does not throw; after `withinMs` its last error is the case's. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = PATIENCE_MS): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(5);
    }
  }
}
