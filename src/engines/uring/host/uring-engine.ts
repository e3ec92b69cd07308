/**
 * The engine where it can run: rules, the points they are bound to, and a seat per worker. Calls about one rule run one
 * after the other; rules know nothing of each other.
 */
import { systemClock } from '../../../lib/clock.ts';
import { socketNumber } from '../../../handoff/listeners.ts';
import { spanSize } from '../../../lib/net/ports.ts';
import type { RuleCounters } from '../../../domain/fact/fact.ts';
import type { Applied, Capabilities, Engine, EngineEvents, Listener } from '../../engine.ts';
import { isHeldByUs } from '../../../linux/udp-holders.ts';
import { bindReason } from '../../flow/causes.ts';
import { addCounters, keepCounters } from '../../flow/counters.ts';
import { bindPoints, originPort } from '../../flow/endpoints.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import { descriptorLimit } from '../../../linux/descriptors.ts';
import { shareOf, unreserved } from '../worker/budget.ts';
import type { EntrySpec, RuleSpec, WorkerSession } from '../worker/messages.ts';
import type { UringEngineOptions } from '../engine.ts';
import { newRow, sumRows } from '../worker/counters.ts';
import type { Row } from '../worker/counters.ts';
import { SupervisedWorker } from './supervised-worker.ts';
import { inheritPoint } from './inherited-sockets.ts';
import { persistenceMemory } from '../worker/persistence.ts';
import { turnsOf } from '../worker/schedule.ts';
import { TCP_BUFFERS } from '../worker/shape.ts';
import { type Dealt, WIDE, closeAll, openPoint, whyTooMany } from './listening-sockets.ts';
import { Ranges, noteOf } from '../steer/ranges.ts';
import type { ToaAttachment } from '../toa/attach.ts';

/** A rule as the agent's thread keeps it; `points` by their key. */
interface PlaneRule {
  readonly index: number;
  readonly rows: readonly Row[];
  readonly position: SharedArrayBuffer;
  persistence: SharedArrayBuffer | undefined;
  /** What it had counted in a life before. */
  readonly past: RuleCounters | undefined;
  listener: Listener;
  readonly points: Map<string, { readonly point: BindPoint; readonly fds: Dealt }>;
  removed: boolean;
}

/** limit: records are at most this late. */
const RECORDS_MS = 200;

export function createPlane(
  options: UringEngineOptions,
  capabilities: Capabilities,
  toa: ToaAttachment | undefined,
  events: EngineEvents,
): Engine & { warm(): Promise<void> } {
  const rules = new Map<string, PlaneRule>();
  const byIndex = new Map<number, PlaneRule>();
  /** What rules that are gone have counted, because one that comes back must not count from 0. */
  const retired = new Map<string, RuleCounters>();
  const targetNumbers = new Map<string, number>();
  const turns = new Map<string, Promise<unknown>>();
  const share = shareOf(options.descriptors ?? unreserved(descriptorLimit()), options.workers);
  const ranges = new Ranges(options.steering);
  let seats: SupervisedWorker[] = [];
  let stopping: Promise<void> | undefined;
  /** Another process serves the same sockets. */
  let isSucceeded = false;
  const reading = systemClock.every(RECORDS_MS, () => {
    // order: what has ended is looked up first, because its last record may be written right now.
    const over = [...rules].filter(([, rule]) => rule.removed && counted(rule).active === 0);
    readRecords();
    for (const [id, rule] of over) retire(id, rule);
  });
  let indices = 0;

  function crew(): SupervisedWorker[] {
    if (seats.length > 0) return seats;
    const buffers = options.buffers ?? TCP_BUFFERS.count;
    const inherited = options.inheritance?.sockets;
    const { sourcePorts } = options;
    const shape = { ...share, buffers, toa: toa?.handles, sourcePorts, inherited };
    seats = Array.from(
      { length: options.workers },
      (_, i) => new SupervisedWorker(i, shape, { log: events.log.bind(events), died, back }),
    );
    return seats;
  }

  function died(worker: number): void {
    // order: the next worker writes its records elsewhere.
    readRecords();
    events.log('error', 'a relay worker died; its connections are reset, its rules are taken up again', { worker });
    tellAll({ ok: false, reason: 'a relay worker is being restarted' });
  }

  function back(worker: number): void {
    events.log('info', 'the relay worker is back', { worker, lives: seats[worker]?.lives });
    tellAll({ ok: true });
  }

  function tellAll(state: Applied): void {
    for (const [id, rule] of rules) if (!rule.removed) events.listener(id, state);
  }

  function readRecords(): void {
    for (const { reader } of seats)
      for (const record of reader.take((index) => byIndex.get(index)?.listener)) events.record(record);
  }

  /** Nothing of a removed rule lives: it is forgotten, but for what it counted. */
  function retire(id: string, rule: PlaneRule): void {
    if (!rule.removed || turns.has(id)) return;
    rules.delete(id);
    byIndex.delete(rule.index);
    keepCounters(retired, id, counted(rule));
  }

  function turn<T>(id: string, run: () => Promise<T>): Promise<T> {
    const mine = (turns.get(id) ?? Promise.resolve()).then(run);
    turns.set(id, mine);
    return mine.finally(() => {
      if (turns.get(id) === mine) turns.delete(id);
    });
  }

  function ruleOf(listener: Listener): PlaneRule {
    const known = rules.get(listener.id);
    if (known) return known;
    const rule: PlaneRule = {
      index: indices++,
      rows: crew().map(newRow),
      position: new SharedArrayBuffer(4),
      persistence: undefined,
      past: retired.get(listener.id),
      listener,
      points: new Map(),
      removed: false,
    };
    byIndex.set(rule.index, rule);
    rules.set(listener.id, rule);
    retired.delete(listener.id);
    return rule;
  }

  function refusal(listener: Listener): string | undefined {
    if (stopping) return 'the engine is stopping';
    if (!capabilities.modes.includes(listener.mode))
      return capabilities.lacking?.[listener.mode] ?? `the uring engine cannot do ${listener.mode}`;
    if (!capabilities.protocols.includes(listener.protocol)) return `the uring engine cannot do ${listener.protocol}`;
    return listener.entries.length === 0 ? 'the rule has no entry address on this edge' : undefined;
  }

  /** order: before a worker opens the first socket that is to carry the option. */
  function enterToa(listener: Listener): string | undefined {
    if (listener.mode !== 'TOA') return undefined;
    try {
      toa?.enter();
      return undefined;
    } catch (error) {
      return `TOA: the edge cannot move into its own cgroup: ${String(error)}`;
    }
  }

  async function applyNow(listener: Listener): Promise<Applied> {
    const reason = refusal(listener) ?? enterToa(listener);
    if (reason !== undefined) {
      await removeNow(listener.id);
      return { ok: false, reason };
    }
    const rule = ruleOf(listener);
    const before = rule.listener;
    const way = ranges.points(listener, rule.points, options.inheritance?.sockets);
    const range = typeof way === 'string' ? undefined : way;
    const wanted = range ?? bindPoints(listener);
    // order: new sockets before old ones go, so a change never leaves a moment with neither.
    const failure = (range && ranges.whyTaken(listener, rule.points, range)) ?? bindMissing(rule, wanted);
    if (failure !== undefined) {
      await removeNow(listener.id);
      return { ok: false, reason: failure };
    }
    rule.listener = listener;
    rule.removed = false;
    rule.persistence = listener.persistSeconds > 0 ? (rule.persistence ?? persistenceMemory()) : undefined;
    if (range || ranges.has(listener.id)) {
      const refused = await leadRange(rule, before, range);
      if (refused !== undefined) {
        await removeNow(listener.id);
        return { ok: false, reason: refused };
      }
    }
    for (const key of rule.points.keys()) if (!wanted.has(key)) rule.points.delete(key);
    await tellWorkers(rule, range !== undefined);
    if (way === '') return { ok: true };
    const ports = listener.entries.length * listener.ports.reduce((sum, span) => sum + spanSize(span), 0);
    const sockets = [...rule.points.values()].reduce((sum, { fds }) => sum + fds.flat().length, 0);
    return { ok: true, note: noteOf(ports, sockets, typeof way === 'string' ? way : undefined) };
  }

  /**
   * order: workers know what may come by a socket before it does; ports are led to where they go from now on, all at once
   * for a client; only then old sockets go (the caller's next step).
   */
  async function leadRange(
    rule: PlaneRule,
    before: Listener,
    range: ReadonlyMap<string, BindPoint> | undefined,
  ): Promise<string | undefined> {
    await tellWorkers(rule, true, before);
    if (range) return ranges.lead(rule.listener, range, rule.points);
    ranges.leave(rule.listener.id);
    return undefined;
  }

  async function tellWorkers(rule: PlaneRule, isRange: boolean, before?: Listener): Promise<void> {
    await Promise.all(
      seats.map((seat) => seat.command({ kind: 'apply', rule: specFor(rule, seat.index, isRange, before) })),
    );
  }

  async function tellAllSeats(kind: 'pause' | 'release'): Promise<void> {
    await Promise.all(seats.map((seat) => seat.command({ kind })));
  }

  /** The reason, in words, if one of the points cannot be had; then none of the new ones is kept. */
  function bindMissing(rule: PlaneRule, wanted: ReadonlyMap<string, BindPoint>): string | undefined {
    const made: string[] = [];
    let next = 0;
    const tooMany = whyTooManySockets(rule, wanted);
    if (tooMany !== undefined) return tooMany;
    for (const [key, point] of wanted) {
      if (rule.points.has(key)) continue;
      const only = wanted.size > WIDE ? next++ % seats.length : undefined;
      const steered = ranges.whySteered(rule.listener.id, point);
      const fds =
        steered ??
        inheritPoint(point, options.inheritance?.sockets, seats.length, only) ??
        openPoint(point, seats.length, only);
      if (typeof fds === 'string') {
        for (const key of made) {
          closeAll(rule.points.get(key)?.fds ?? []);
          rule.points.delete(key);
        }
        return steered ?? bindReason(fds, point, wanted.size, isHeldByUs);
      }
      rule.points.set(key, { point, fds });
      made.push(key);
    }
    return undefined;
  }

  function whyTooManySockets(rule: PlaneRule, wanted: ReadonlyMap<string, BindPoint>): string | undefined {
    if (wanted.size <= WIDE) return undefined;
    const missing = [...wanted.values()].filter(
      ({ key }) => !rule.points.has(key) && !options.inheritance?.sockets.has(key),
    );
    let bound = 0;
    for (const { points } of rules.values()) bound += points.size > WIDE ? points.size : 0;
    return whyTooMany(missing, bound, share.descriptors * options.workers, () => ranges.lacking);
  }

  /** `before`: what the rule was until now; its sockets are served still. */
  function specFor(rule: PlaneRule, worker: number, isRange: boolean, before?: Listener): RuleSpec {
    const { listener } = rule;
    const { ports, originPorts } = listener;
    const entries: EntrySpec[] = [];
    for (const { point, fds } of rule.points.values()) {
      const to =
        originPort(ports, originPorts, point.port) ??
        (before && originPort(before.ports, before.originPorts, point.port));
      if (to === undefined) continue;
      for (const fd of fds[worker] ?? []) {
        const entry = { fd, address: point.address, port: point.port, originPort: to };
        entries.push(point.protocol === 'UDP' ? { ...entry, sessions: inheritedSessions(fd) } : entry);
      }
    }
    return {
      index: rule.index,
      protocol: listener.protocol,
      mode: listener.mode,
      targets: listener.targets.map((target) => ({ ...target, number: numberOf(target.address) })),
      turns: turnsOf(listener.targets),
      persistSeconds: listener.persistSeconds,
      options: listener.options,
      entries,
      range: isRange ? { ports, originPorts } : undefined,
      row: rule.rows[worker]!.buffer as SharedArrayBuffer,
      position: rule.position,
      persistence: rule.persistence,
    };
  }

  /** Once: the first time that a socket is given to a worker. */
  function inheritedSessions(fd: number): readonly WorkerSession[] {
    const { sessions } = options.inheritance ?? {};
    if (!sessions || sessions.size === 0) return [];
    const number = socketNumber(fd) ?? 0;
    const mine = sessions.get(number) ?? [];
    sessions.delete(number);
    return mine.map((session) => ({ ...session, entryFd: fd }));
  }

  function numberOf(address: string): number {
    const number = targetNumbers.get(address) ?? targetNumbers.size;
    targetNumbers.set(address, number);
    return number;
  }

  async function removeNow(id: string): Promise<void> {
    const rule = rules.get(id);
    if (!rule || rule.removed) return;
    rule.removed = true;
    // order: nobody is led to a socket that closes; who has been is in its queue.
    ranges.leave(id);
    rule.points.clear();
    await Promise.all(seats.map((seat) => seat.command({ kind: 'remove', index: rule.index })));
  }

  async function stopNow(drainMs: number): Promise<void> {
    await Promise.all(turns.values());
    // order: first. Another process leads the ranges now, or nobody; this one's connections may take their time.
    ranges.close();
    if (isSucceeded) await tellAllSeats('pause');
    await Promise.all(seats.map((seat) => seat.end(drainMs)));
    readRecords();
    reading.cancel();
    seats = [];
    toa?.detach();
  }

  return {
    /** Rules are about to come: workers start now, and no rule waits for them. */
    async warm() {
      await Promise.all(crew().map((seat) => seat.ready));
    },
    name: 'uring',
    capabilities: () => capabilities,
    apply: (listener) => turn(listener.id, () => applyNow(listener)),
    remove: (id) => turn(id, () => removeNow(id)),
    async prune(keep) {
      const gone = [...rules.keys()].filter((id) => !keep.has(id));
      await Promise.all(gone.map((id) => turn(id, () => removeNow(id))));
    },
    counters() {
      readRecords();
      const all = new Map(retired);
      for (const [id, rule] of rules) {
        const sums = counted(rule);
        // A session that came from another process was counted there.
        if (sums.connections + sums.active + sums.packetsIn > 0 || Object.keys(sums.dropped).length > 0)
          all.set(id, sums);
      }
      return Promise.resolve(all);
    },
    stop: (drainMs) => (stopping ??= stopNow(drainMs)),
    succession: {
      async handOver() {
        isSucceeded = true;
        const sessions = await Promise.all(seats.map((seat) => seat.hold()));
        return sessions.flat().map(({ entryFd, ...session }) => ({ ...session, entry: socketNumber(entryFd) ?? 0 }));
      },
      pause: () => tellAllSeats('pause'),
      async resume() {
        isSucceeded = false;
        await tellAllSeats('release');
      },
      begin: () => tellAllSeats('release'),
    },
  };
}

function counted({ rows, past }: PlaneRule): RuleCounters {
  const sums = sumRows(rows);
  return past ? addCounters(past, sums) : sums;
}
