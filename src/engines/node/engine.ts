/**
 * The node engine: TCP and UDP on `node:net` and `node:dgram`, on every system that runs Node. The reference for what
 * engines do. It cannot write TCP options, so it refuses TOA.
 */
import { systemClock, type Clock } from '../../lib/clock.ts';
import { systemRng, type Rng } from '../../lib/rng.ts';
import { Inherited, type InheritedParts } from '../../handoff/inherited.ts';
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type { Applied, Engine, EngineEvents, Listener } from '../engine.ts';
import { STOP_POLL_MS, SWEEP_MS } from '../flow/behaviour.ts';
import { createCounters, hasCounted, keepCounters, snapshot, type LiveCounters } from '../flow/counters.ts';
import { createBudget } from '../flow/budget.ts';
import { SourcePorts } from '../flow/source-ports.ts';
import { createAdmission } from './admission.ts';
import { nodeCapabilities } from './capabilities.ts';
import { descriptorLimit, openDescriptors } from '../../linux/descriptors.ts';
import { createNodeRule, type NodeRule } from './rule.ts';

interface NodeEngineOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Descriptors that the process may have. */
  readonly descriptors: number;
  /** flow/source-ports.ts; default: the system chooses. */
  readonly sourcePorts?: SharedArrayBuffer | undefined;
  /** Of the process before this one. */
  readonly inherited?: InheritedParts | undefined;
}

/** On a thread of its own it has only what can be sent to a thread. */
interface Sendable {
  readonly sockets?: Pick<Inherited, 'parts'> | undefined;
  readonly sourcePorts?: SharedArrayBuffer;
}

export function createNodeEngine(events: EngineEvents, { sockets, sourcePorts }: Sendable = {}): Promise<Engine> {
  const inherited = sockets?.parts;
  const options = { clock: systemClock, rng: systemRng, descriptors: descriptorLimit(), sourcePorts, inherited };
  return createNodeEngineWith(options, events);
}

export async function createNodeEngineWith(options: NodeEngineOptions, events: EngineEvents): Promise<Engine> {
  const { clock, rng, descriptors } = options;
  // limit: an eighth stays for files, the control link and clients that wait; half of that for the latter.
  const reserve = Math.min(1024, Math.floor(descriptors / 8));
  const budget = createBudget({ descriptors: descriptors - reserve, waiting: Math.floor(reserve / 2) });
  const inherited = options.inherited && new Inherited(options.inherited);
  const begun = inherited && !inherited.hasBegun ? Promise.withResolvers<void>() : undefined;
  const deps = {
    clock,
    budget,
    admission: createAdmission(budget, descriptors - reserve, rng.below(2 ** 32), () => rules.size),
    // limit: one rule's flood of new sessions leaves descriptors to the others.
    mostUdpSessions: Math.min(65_536, Math.floor(descriptors / 4)),
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    uuid: () => rng.uuid(),
    record: events.record.bind(events),
    sources: options.sourcePorts && new SourcePorts(options.sourcePorts),
    inherited,
    begun: begun?.promise,
  };
  const capabilities = nodeCapabilities();
  /** Removed ones too, until their last connection is gone. */
  const rules = new Map<string, NodeRule>();
  const removed = new Set<string>();
  const retired = new Map<string, LiveCounters>();
  /** Calls about one rule run one after the other. */
  const turns = new Map<string, Promise<unknown>>();
  const sweeper = clock.every(SWEEP_MS, sweep);
  let waitsTold = 0;
  let stopping: Promise<void> | undefined;

  measure();

  function measure(): void {
    const total = openDescriptors();
    if (total !== undefined) budget.setOthers(Math.max(0, total - budget.held));
  }

  function sweep(): void {
    measure();
    for (const rule of rules.values()) rule.sweep();
    for (const id of removed) retire(id);
    const { waits, refusals } = budget;
    if (waits > waitsTold) {
      events.log('warn', 'out of descriptors: new connections wait; raise the limit (ulimit -n)', {
        descriptors,
        held: budget.held,
        waited: waits - waitsTold,
        refused: refusals,
      });
      waitsTold = waits;
    }
  }

  /** Forgets a removed rule once nothing of it lives, but for what it counted. */
  function retire(id: string): void {
    const rule = rules.get(id);
    if (!rule || rule.connections > 0) return;
    rules.delete(id);
    removed.delete(id);
    if (hasCounted(rule.counters)) keepCounters(retired, id, rule.counters);
  }

  function turn<T>(id: string, run: () => T | Promise<T>): Promise<T> {
    const mine = (turns.get(id) ?? Promise.resolve()).then(run);
    turns.set(id, mine);
    return mine.finally(() => {
      if (turns.get(id) === mine) turns.delete(id);
    });
  }

  function remove(id: string): Promise<void> {
    return turn(id, () => {
      const rule = rules.get(id);
      if (!rule) return;
      removed.add(id);
      rule.close();
      retire(id);
    });
  }

  function refusal(listener: Listener): string | undefined {
    if (stopping) return 'the engine is stopping';
    if (!capabilities.modes.includes(listener.mode)) return `the node engine cannot do ${listener.mode}`;
    return listener.entries.length === 0 ? 'the rule has no entry address on this edge' : undefined;
  }

  async function applyNow(listener: Listener): Promise<Applied> {
    const reason = refusal(listener);
    const known = rules.get(listener.id);
    if (reason !== undefined) {
      known?.close();
      return { ok: false, reason };
    }
    const rule = known ?? createNodeRule(listener, retired.get(listener.id) ?? createCounters(), deps);
    rules.set(listener.id, rule);
    retired.delete(listener.id);
    removed.delete(listener.id);
    return rule.apply(listener);
  }

  async function stopNow(drainMs: number): Promise<void> {
    await Promise.all(turns.values());
    for (const rule of rules.values()) rule.unlisten('shutdown');
    const end = clock.monotonic() + drainMs;
    const alive = (): boolean => [...rules.values()].some((rule) => rule.connections > 0);
    while (alive() && clock.monotonic() < end) await clock.sleep(STOP_POLL_MS);
    for (const rule of rules.values()) rule.endAll('shutdown');
    sweeper.cancel();
  }

  return {
    name: 'node',
    capabilities: () => capabilities,
    apply: (listener) => turn(listener.id, () => applyNow(listener)),
    remove,
    async prune(keep) {
      await Promise.all([...rules.keys()].filter((id) => !keep.has(id) && !removed.has(id)).map(remove));
    },
    async counters() {
      const all = new Map<string, RuleCounters>();
      for (const [id, counters] of retired) all.set(id, snapshot(counters));
      for (const [id, { counters }] of rules) if (hasCounted(counters)) all.set(id, snapshot(counters));
      return all;
    },
    stop: (drainMs) => (stopping ??= stopNow(drainMs)),
    // Its sessions begin anew in the next process, and its sockets may be accepted from by both.
    succession: {
      handOver: () => Promise.resolve([]),
      pause: () => Promise.resolve(),
      resume: () => Promise.resolve(),
      async begin() {
        begun?.resolve();
      },
    },
  };
}
