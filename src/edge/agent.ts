/**
 * The composition root of an edge: its copy of the world, the plan, the engines and the link, joined. It serves from
 * the disk before it looks for control, and goes on when control is gone. Started by `edgefour edge` (also under `up`)
 * and, in process, by tests.
 */
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Inherited } from '../handoff/inherited.ts';
import type { PortSpan } from '../lib/net/ports.ts';
import { type Rng, systemRng } from '../lib/rng.ts';
import { Signal } from '../lib/signal.ts';
import { parseLinkAddress } from '../link/address.ts';
import { createLinkClient, type LinkClient } from '../link/client.ts';
import type { Step } from '../link/replica.ts';
import type { Log } from '../observe/log.ts';
import type { PlannedRule } from '../plan/plan.ts';
import { Planner } from '../plan/planner.ts';
import type { HandedSession, Succession } from '../engines/engine.ts';
import { type EngineSet, openEngines } from '../engines/hosting/engine-set.ts';
import { TABLE_NAME } from '../engines/kernel/table/sets.ts';
import { type EngineFactories, engineFactories, type EngineSetting } from '../engines/registry.ts';
import { Departed, ruleIds } from './report/departed.ts';
import { addCounters } from '../engines/flow/counters.ts';
import { bindPoints } from '../engines/flow/endpoints.ts';
import { createGuard, type Guard } from './guard/guard.ts';
import { EntryWatch, type Here, openHere } from './entry-watch.ts';
import { LastGood } from './last-good/last-good.ts';
import type { Lookup } from './origins/lookup.ts';
import { openOrigins } from './origins/origins.ts';
import { Reconciler } from './reconcile/reconcile.ts';
import { createRecordFiles } from '../engines/hosting/record-files.ts';
import { Reporter } from './report/reporter.ts';
import { EdgePorts } from './source-ports.ts';
import { openTables } from './tables/tables.ts';

export interface EdgeConfig {
  readonly dataDir: string;
  readonly edgeId: string;
  readonly site: string;
  /** See link/address.ts. */
  readonly join: string;
  readonly engine: EngineSetting;
  readonly version: string;
  /** Rules in the kernel end with this edge; default: they go on forwarding. */
  readonly flush?: boolean;
  /** Packets of established connections of the kernel engine go past everything; default true. */
  readonly fastPath?: boolean;
  /** Kinds of the TCP option of TOA rules, by address family; default 254 and 253. */
  readonly toaKinds?: { readonly v4: number; readonly v6: number };
  /** Ports to dial origins from, as far as the system leaves them; default: the system chooses. */
  readonly sourcePorts?: readonly PortSpan[];
  /** An empty world may replace one with rules; default false. */
  readonly newWorld?: boolean;
  /** Connection records where a rule does not say; default all. */
  readonly records?: 'all' | 'off' | number;
  /** Networks that no origin may be in, and the word `private`; default none. */
  readonly originsDeny?: readonly string[];
}

export interface EdgeTools {
  readonly log: Log;
  readonly clock: Clock;
  readonly rng?: Rng;
  /** Default: every engine there is, each on a thread of its own. */
  readonly engines?: EngineFactories;
  readonly lookup?: Lookup;
  /** Of the process that it is in. */
  readonly alarms?: () => readonly string[];
  /** Which addresses are on this machine. */
  readonly here?: Here;
  /** What the edge before this one gives it. Its sessions are asked for last: until then that edge forwards them. */
  readonly inheritance?: {
    readonly sockets: Inherited;
    sessions(): Promise<ReadonlyMap<number, readonly HandedSession[]>>;
  };
}

export interface Edge {
  /** Every engine of this host and, where it can't be used, why. */
  readonly engines: EngineSet['report'];
  /** Resolves when what the disk, or else control, had to say is applied once. */
  readonly ready: Promise<void>;
  /** Takes nothing new, gives connections `drainMs`, ends. May be called twice. */
  stop(drainMs: number): Promise<void>;
  /** As the engines', with one word before the others: after `rest` it serves on, follows no change and writes no world. */
  readonly succession: Succession & { rest(): Promise<void> };
}

/** limit: weeks of a busy edge (300 bytes a record), and no disk is full because of it. */
const RECORD_FILES_BYTES = 1 << 30;

/** limit: less than what a supervisor grants after the drain time. */
const LAST_WORD_MS = 2_000;
/** A control that starts beside this edge takes a moment; later its absence is news. */
const PATIENCE_MS = 5_000;

/** Rejects where `join` can't be read; nothing is left behind then. */
export async function startEdge(config: EdgeConfig, tools: EdgeTools): Promise<Edge> {
  const { log, clock, rng = systemRng } = tools;
  const address = parseLinkAddress(config.join);
  if ('bad' in address) throw new Error(address.bad);
  const folder = join(config.dataDir, 'edge');
  const identity = { edge: config.edgeId, site: config.site, version: config.version };
  const link = createLinkClient(address, identity, { clock, rng });
  const records = createRecordFiles(join(folder, 'records'), clock, RECORD_FILES_BYTES, (lost) => reporter.lose(lost));

  const isSuccessor = tools.inheritance !== undefined;
  const tables = await openTables({ dataDir: config.dataDir, isSuccessor, clock, rng, log });
  const ports = new EdgePorts(config.sourcePorts ?? [], rng);
  const inheritance = tools.inheritance && { sockets: tools.inheritance.sockets, sessions: new Map() };
  /** What a report says is different. */
  const changed = new Signal();
  const [lastGood, origins, routing, engines] = await Promise.all([
    LastGood.open(join(folder, 'world'), { clock, rng, log, newWorld: config.newWorld, changed: () => changed.tell() }),
    openOrigins(join(folder, 'names.json'), config.originsDeny ?? [], { clock, rng, log, lookup: tools.lookup }),
    tools.here ? { here: tools.here, close() {} } : openHere(),
    openEngines(
      tools.engines ??
        engineFactories({
          engine: config.engine,
          flush: config.flush === true,
          fastPath: config.fastPath,
          toaKinds: config.toaKinds,
          sourcePorts: ports.memory,
          tables,
          books: join(folder, 'kernel-books'),
          records: { folder: join(folder, 'records'), capBytes: RECORD_FILES_BYTES },
        }),
      log,
      {
        record(engine, record) {
          // The kernel engine has written its own: it must know that they are.
          if (engine !== 'kernel') records.write(record);
          reporter.record(record);
        },
        listener: (engine, id, state) => reconciler.listener(engine, id, state),
      },
      inheritance,
    ),
  ]);
  const { replica } = lastGood;
  const setting = config.engine;
  const keysBefore = new Set(tools.inheritance?.sockets.parts.keys);
  function comesWithSockets(rule: PlannedRule): boolean {
    if (keysBefore.size === 0 || tools.inheritance?.sockets.hasBegun) return false;
    return bindPoints(rule)
      .keys()
      .some((key) => keysBefore.has(key));
  }
  const reconciler = new Reconciler({
    engines,
    setting,
    origins,
    clock,
    rng,
    log,
    changed,
    settled: (rule) => guard.settled(rule),
    comesWithSockets,
    tables,
  });
  const site = { id: config.site, records: config.records ?? 'all' };
  const planner = new Planner(site, (key) => replica.records.get(key)?.value);
  const guard: Guard = createGuard({
    clock,
    log,
    tables,
    onStop: config.flush ? 'flush' : 'keep',
    changed: () => changed.tell(),
    rules: () => planner.plan.rules,
    records: () => replica.records,
    world: () => replica.world,
  });
  const departed = new Departed();
  const entries = new EntryWatch({
    clock,
    here: routing.here,
    rules: () => planner.plan.rules.values(),
    isRouted: (rule) => reconciler.isRouted(rule),
    changed({ gone, back, rules }) {
      if (gone.length > 0) log.error('entry addresses are not on this machine', { addresses: gone.join(' ') });
      if (back.length > 0) log.info('entry addresses are back', { addresses: back.join(' ') });
      reconciler.retry(rules);
      changed.tell();
    },
  });
  const reporter = createReporter();
  const ready = Promise.withResolvers<void>();

  function createReporter(): Reporter {
    const source = {
      ack: () => ({
        ...identity,
        world: replica.refused || replica.world,
        // An edge that would come back to an older world has not really applied this one.
        applied: replica.refused === '' ? Math.min(reconciler.applied, lastGood.kept) : 0,
        failed: failures(),
        unresolved: [...reconciler.unresolved()],
        engines: engines.report,
        alarms: [lastGood, records, guard, tables, entries]
          .flatMap(({ alarms }) => [...alarms])
          .concat(ports.alarms(clock.monotonic()), tools.alarms?.() ?? []),
        lost: [...entries.lost],
      }),
      placements: () => reconciler.placements.all(),
      takeMoved: () => reconciler.placements.takeMoved(),
      counters: countersOfAll,
    };
    return new Reporter({ link, source, edge: config.edgeId, clock, rng });
  }
  async function countersOfAll() {
    const [carried, limited] = await Promise.all([engines.counters(), guard.counters()]);
    ports.note(carried.values(), clock.monotonic());
    const sums = new Map(carried);
    for (const [rule, counters] of limited) {
      const before = sums.get(rule);
      sums.set(rule, before ? addCounters(before, counters) : counters);
    }
    return departed.without(sums, isRule(sums), clock.monotonic());
  }
  /** On or off. Looked for in all instances only where one of these rules is not in the plan. */
  function isRule(counted: ReadonlyMap<string, unknown>): (rule: string) => boolean {
    const { rules } = planner.plan;
    if (counted.keys().every((rule) => rules.has(rule))) return () => true;
    const ids = ruleIds(replica.records);
    return (rule) => ids.has(rule);
  }
  function failures() {
    const planned = [...planner.plan.failures].map(([id, reason]) => ({ id, reason }));
    const all = [...planned, ...entries.failures(), ...reconciler.failures(), ...tables.leftovers()];
    // order: what is left in the kernel is why, whatever else is; and the system's own word before that an address is gone.
    return [...new Map(all.map((one) => [one.id, one])).values()];
  }
  const waits = (rule: string): boolean => guard.isLimited(rule);
  function replaced(first = waits): void {
    const delta = planner.reset(replica.records.keys());
    ports.follow(delta);
    entries.meet(delta.put);
    reconciler.feed(delta, replica.revision, { all: planner.plan.rules, limits: guard.update(), waits: first });
  }
  function take(step: Step): void {
    lastGood.note(step);
    if (step.kind === 'changed') {
      const keys = step.changes.map(({ key }) => key);
      const delta = planner.change(keys);
      ports.follow(delta);
      entries.meet(delta.put);
      const limits = guard.update([...delta.put.map(({ id }) => id), ...delta.drop], keys);
      reconciler.feed(delta, step.revision, { limits, waits });
    } else if (step.kind === 'replaced') {
      if (step.other) reconciler.restart();
      replaced();
    }
  }

  changed.listen(() => {
    reporter.changed();
    if (replica.world !== '' && reconciler.settled) ready.resolve();
  });
  // order: not before it serves, because until then control may refuse to start, which is said in one line and no other.
  void ready.promise.then(() => {
    tables.keep(TABLE_NAME, (id) => planner.plan.rules.has(id));
    for (const { name, unavailable } of engines.report)
      if (unavailable !== undefined) log.info('an engine cannot be used here', { engine: name, reason: unavailable });
  });
  // order: last, because from here until they are bound datagrams wait in their sockets.
  for (const [entry, sessions] of (await tools.inheritance?.sessions()) ?? [])
    inheritance?.sessions.set(entry, sessions);
  // The one before this had nothing to serve either.
  if (inheritance && replica.world === '') ready.resolve();
  if (replica.world !== '') {
    log.info('serving from the disk', { revision: replica.revision, records: replica.records.size });
    // What the one before this hands over is in its table, and datagrams wait.
    replaced(inheritance && (() => false));
  }
  let following = new AbortController();
  let followed = follow(link, following.signal);

  function follow(client: LinkClient, signal: AbortSignal): Promise<void> {
    /** Since when control is missed; undefined: it is there, or its absence has been told. */
    let missed: number | undefined = clock.monotonic();
    const sink = {
      connected() {
        missed = undefined;
        log.info('connected to control', { join: config.join, revision: replica.revision });
        reporter.connected();
      },
      step: take,
      disconnected(reason: string, resync: boolean) {
        const facts = { reason, resync, revision: replica.revision };
        if (reporter.isConnected) log.warn('the link to control is gone; serving on', facts);
        else if (missed !== undefined && clock.monotonic() - missed > PATIENCE_MS) {
          missed = undefined;
          log.warn('control cannot be reached; trying on', { join: config.join, ...facts });
        }
        reporter.disconnected();
      },
    };
    return client.follow(replica, sink, signal);
  }
  let stopped: Promise<void> | undefined;
  let isSucceeded = false;
  const succession: Edge['succession'] = {
    async rest() {
      following.abort();
      await followed;
      // Control hears of this edge from the next one.
      reporter.disconnected();
      await Promise.all([lastGood.rest(), guard.rest()]);
    },
    async begin() {
      tools.inheritance?.sockets.begin();
      await engines.succession.begin();
      reconciler.begin();
    },
    handOver() {
      isSucceeded = true;
      return engines.succession.handOver();
    },
    async pause() {
      await engines.succession.pause();
      tables.rest();
    },
    async resume() {
      if (stopped) return;
      isSucceeded = false;
      tables.resume();
      await engines.succession.resume();
      await lastGood.resume();
      guard.resume();
      following = new AbortController();
      followed = follow(link, following.signal);
    },
  };
  async function stop(drainMs: number): Promise<void> {
    following.abort();
    entries.close();
    routing.close();
    if (isSucceeded) reporter.drain();
    reconciler.stop();
    await origins.close();
    await followed;
    await engines.stop(drainMs);
    await guard.stop(isSucceeded ? 'keep' : undefined);
    await reporter.stop(isSucceeded ? LAST_WORD_MS : 0);
    await Promise.all([records.close(), lastGood.close()]);
    tables.close(isSucceeded);
    link.close();
  }
  return { engines: engines.report, ready: ready.promise, stop: (drainMs) => (stopped ??= stop(drainMs)), succession };
}
