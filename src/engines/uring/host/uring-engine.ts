/**
 * The engine where it can run, on the agent's thread: it knows rules, binds the sockets that they listen on, and tells the
 * workers, which have the connections. Calls about one rule run one after the other; rules know nothing of each other.
 * Made by engine.ts.
 */
import type { RuleCounters } from '../../../domain/fact/fact.ts';
import { socketNumber } from '../../../handoff/listeners.ts';
import { systemClock } from '../../../lib/clock.ts';
import { spanSize } from '../../../lib/net/ports.ts';
import type { Applied, Capabilities, Engine, EngineEvents, Listener, Succession, TargetState } from '../../engine.ts';
import { bindPoints } from '../../flow/endpoints.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import { createKeyedQueue } from '../../flow/keyed-queue.ts';
import { descriptorLimit } from '../../../linux/descriptors.ts';
import { noteOf, Ranges } from '../steer/ranges.ts';
import type { ToaAttachment } from '../toa/attach.ts';
import { shareOf, unreserved } from '../worker/budget.ts';
import { TCP_BUFFERS } from '../worker/memory.ts';
import { bindMissing } from './bind.ts';
import type { Binding } from './bind.ts';
import { MOST_PORTS_IN_ALL_WORKERS } from './listening-sockets.ts';
import type { UringEngineOptions } from './options.ts';
import { RuleSpecs } from './rule-spec.ts';
import { ServedRules, update } from './served-rules.ts';
import type { ServedRule } from './served-rules.ts';
import { TargetHealth } from './target-health.ts';
import { WorkerPool } from './worker-pool.ts';

/** limit: records are at most this late. */
const RECORDS_MS = 200;

export class UringEngine implements Engine {
  readonly name = 'uring';
  readonly #capabilities: Capabilities;
  readonly #toa: ToaAttachment | undefined;
  readonly #events: EngineEvents;
  readonly #binding: Binding;
  readonly #rules: ServedRules;
  readonly #specs: RuleSpecs;
  readonly #health: TargetHealth;
  readonly #workers: WorkerPool;
  readonly #calls = createKeyedQueue();
  readonly #reading = systemClock.every(RECORDS_MS, () => this.#sweep());
  #stopping: Promise<void> | undefined;
  /** Another process serves the same sockets. */
  #isSucceeded = false;

  readonly succession: Succession = {
    handOver: async () => {
      this.#isSucceeded = true;
      const sessions = await this.#workers.tell(() => ({ kind: 'handOver' }));
      return sessions.map(({ entryFd, ...session }) => ({ ...session, entry: socketNumber(entryFd) ?? 0 }));
    },
    pause: () => this.#tellAll('pause'),
    resume: async () => {
      this.#isSucceeded = false;
      await this.#tellAll('resume');
    },
    begin: () => this.#tellAll('begin'),
  };

  constructor(
    options: UringEngineOptions,
    capabilities: Capabilities,
    toa: ToaAttachment | undefined,
    events: EngineEvents,
  ) {
    const { workers, inheritance, sourcePorts } = options;
    const share = shareOf(options.descriptors ?? unreserved(descriptorLimit()), workers);
    const health = new TargetHealth(events);
    const shape = {
      ...share,
      buffers: options.buffers ?? TCP_BUFFERS.count,
      toa: toa?.handles,
      sourcePorts,
      ...health.memory,
    };
    const workerEvents = {
      log: events.log.bind(events),
      firstFailure: () => health.firstFailure(),
      died: (worker: number) => this.#died(worker),
      back: (worker: number) => this.#back(worker),
    };
    this.#capabilities = capabilities;
    this.#toa = toa;
    this.#events = events;
    this.#binding = {
      ranges: new Ranges(options.steering),
      inherited: inheritance?.sockets,
      workers,
      descriptors: share.descriptors * workers,
    };
    this.#rules = new ServedRules(workers);
    this.#specs = new RuleSpecs(inheritance?.sessions);
    this.#health = health;
    this.#workers = new WorkerPool(workers, shape, workerEvents, inheritance?.sockets);
  }

  capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** Rules are about to come: workers start now, and no rule waits for them. */
  async startWorkers(): Promise<void> {
    this.#workers.start();
    await this.#workers.ready();
  }

  apply(listener: Listener): Promise<Applied> {
    return this.#calls.run(listener.id, async () => {
      const outcome = this.#whyNot(listener) ?? (await this.#serve(listener));
      if (typeof outcome !== 'string') return outcome;
      await this.#close(listener.id);
      return { ok: false, reason: outcome };
    });
  }

  remove(id: string): Promise<void> {
    return this.#calls.run(id, () => this.#close(id));
  }

  async prune(keep: ReadonlySet<string>): Promise<void> {
    const gone = this.#rules.ids.filter((id) => !keep.has(id));
    await Promise.all(gone.map((id) => this.remove(id)));
  }

  async states(changes: readonly TargetState[]): Promise<void> {
    this.#health.set(changes);
    // order: the answer says that no choice of before is under way, and that sessions have left.
    await this.#workers.tell(() => ({ kind: 'states' }));
  }

  counters(): Promise<ReadonlyMap<string, RuleCounters>> {
    this.#takeRecords();
    return Promise.resolve(this.#rules.counters());
  }

  stop(drainMs: number): Promise<void> {
    return (this.#stopping ??= this.#stop(drainMs));
  }

  /** Why the listener cannot be served here, as far as that is known before anything is bound. */
  #whyNot({ mode, protocol, entries }: Listener): string | undefined {
    const { modes, protocols, lacking } = this.#capabilities;
    if (this.#stopping) return 'the engine is stopping';
    if (!modes.includes(mode)) return lacking?.[mode] ?? `the uring engine cannot do ${mode}`;
    if (!protocols.includes(protocol)) return `the uring engine cannot do ${protocol}`;
    if (entries.length === 0) return 'the rule has no entry address on this edge';
    return mode === 'TOA' ? this.#enterToa() : undefined;
  }

  /** order: before a worker opens the first socket that is to carry the option. */
  #enterToa(): string | undefined {
    try {
      this.#toa?.enter();
      return undefined;
    } catch (error) {
      return `TOA: the edge cannot move into its own cgroup: ${String(error)}`;
    }
  }

  /** Binds what the listener needs, tells the workers, and lets go of what it no longer needs; or the reason why not. */
  async #serve(listener: Listener): Promise<Applied | string> {
    const { ranges, inherited } = this.#binding;
    this.#workers.start();
    const rule = this.#rules.open(listener);
    const { points, listener: before } = rule;
    const steered = ranges.points(listener, points, inherited);
    const isRange = typeof steered !== 'string';
    const wanted = isRange ? steered : bindPoints(listener);
    // order: new sockets before old ones go, so a change never leaves a moment with neither.
    const refused =
      (isRange ? ranges.whyTaken(listener, points, steered) : undefined) ??
      bindMissing(listener.id, points, wanted, this.#binding, this.#rules.boundBeyond(MOST_PORTS_IN_ALL_WORKERS));
    if (refused !== undefined) return refused;
    update(rule, listener);
    if (isRange || ranges.has(listener.id)) {
      const notLed = await this.#lead(rule, before, isRange ? steered : undefined);
      if (notLed !== undefined) return notLed;
    }
    for (const key of points.keys()) if (!wanted.has(key)) points.delete(key);
    await this.#tell(rule, isRange);
    return { ok: true, ...(steered !== '' && { note: noteFor(rule, isRange ? undefined : steered) }) };
  }

  /**
   * Leads the ports of a range to their socket, or no longer. order: workers know what may come by a socket before it does;
   * ports are led to where they go from now on, all at once for a client; only then old sockets go (the caller's next step).
   */
  async #lead(
    rule: ServedRule,
    before: Listener,
    range: ReadonlyMap<string, BindPoint> | undefined,
  ): Promise<string | undefined> {
    const { ranges } = this.#binding;
    await this.#tell(rule, true, before);
    if (range) return ranges.lead(rule.listener, range, rule.points);
    ranges.leave(rule.listener.id);
    return undefined;
  }

  async #tell(rule: ServedRule, isRange: boolean, before?: Listener): Promise<void> {
    await this.#workers.tell((worker) => ({
      kind: 'apply',
      rule: this.#specs.of(rule, worker, isRange, before),
    }));
  }

  async #tellAll(kind: 'pause' | 'resume' | 'begin'): Promise<void> {
    await this.#workers.tell(() => ({ kind }));
  }

  /** Resolves when the rule's sockets are closed. */
  async #close(id: string): Promise<void> {
    const rule = this.#rules.get(id);
    if (rule?.state !== 'served') return;
    rule.state = 'closing';
    // order: before its sockets close, no more connections are led to them; those that were are in their queues.
    this.#binding.ranges.leave(id);
    rule.points.clear();
    await this.#workers.tell(() => ({ kind: 'remove', index: rule.index }));
    rule.state = 'removed';
  }

  async #stop(drainMs: number): Promise<void> {
    await this.#calls.idle();
    // order: first. Another process leads the ranges now, or none does; connections of this one may take their time.
    this.#binding.ranges.close();
    if (this.#isSucceeded) await this.#tellAll('pause');
    await this.#workers.end(drainMs);
    this.#health.stop();
    this.#takeRecords();
    this.#reading.cancel();
    this.#toa?.detach();
  }

  #sweep(): void {
    // order: what has ended is looked up first, because its last record may be written right now.
    const ended = this.#rules.ended();
    this.#takeRecords();
    for (const rule of ended) if (rule.state === 'removed') this.#rules.retire(rule);
  }

  #takeRecords(): void {
    for (const record of this.#workers.takeRecords((index) => this.#rules.nameOf(index))) this.#events.record(record);
  }

  #died(worker: number): void {
    // order: the next life writes its records elsewhere.
    this.#takeRecords();
    this.#events.log('error', 'a relay worker died; its connections are reset, its rules are taken up again', {
      worker,
    });
    this.#report({ ok: false, reason: 'a relay worker is being restarted' });
  }

  #back(worker: number): void {
    this.#events.log('info', 'the relay worker is back', { worker, lives: this.#workers.livesOf(worker) });
    this.#report({ ok: true });
  }

  #report(state: Applied): void {
    for (const { listener } of this.#rules.served) this.#events.listener(listener.id, state);
  }
}

/** `why`: of a socket per port; undefined: one socket takes the range. */
function noteFor({ listener, points }: ServedRule, why: string | undefined): string {
  const ports = listener.entries.length * listener.ports.reduce((sum, span) => sum + spanSize(span), 0);
  const sockets = [...points.values()].reduce((sum, { fds }) => sum + fds.flat().length, 0);
  return noteOf(ports, sockets, why);
}
