/**
 * The composition root of an edge: its copy of the world, the plan, the engines and the link, joined. It serves from
 * the disk before it looks for control, and goes on when control is gone. Data flows one way, from the world to the plan,
 * to origins and engines, to the report; where news goes against it, its teller is a Signal. Started by `edgefour edge`
 * (also under `up`) and, in process, by tests.
 */
import { join } from 'node:path';
import { KERNEL_TABLE } from '../engines/table-owner.ts';
import { systemRng } from '../lib/rng.ts';
import { Signal } from '../lib/signal.ts';
import { parseLinkAddress } from '../link/address.ts';
import { createLinkClient } from '../link/client.ts';
import { Planner } from '../plan/planner.ts';
import type { Edge, EdgeConfig, EdgeTools } from './edge.ts';
import { openEdgeEngines } from './engines.ts';
import { EntryWatch, openHere } from './entry-watch.ts';
import { Follower } from './follower.ts';
import { Guard } from './guard/guard.ts';
import { LastGood } from './last-good/last-good.ts';
import { openOriginFile } from './health/origin-file.ts';
import { OriginWatch } from './health/origin-watch.ts';
import { openOrigins } from './origins/origins.ts';
import { PlanFeed } from './plan-feed.ts';
import { Predecessor } from './predecessor.ts';
import { Reconciler } from './reconcile/reconcile.ts';
import { openRecords } from './report/records.ts';
import { Reporter } from './report/reporter.ts';
import { reportSource } from './report/source.ts';
import { EdgePorts } from './source-ports.ts';
import { EdgeSuccession } from './succession.ts';
import { openTables } from './tables/tables.ts';

/** limit: less than what a supervisor grants after the drain time. */
const LAST_WORD_MS = 2_000;

/** Rejects where `join` can't be read; nothing is left behind then. */
export async function startEdge(config: EdgeConfig, tools: EdgeTools): Promise<Edge> {
  const { log, clock, rng = systemRng } = tools;
  const address = parseLinkAddress(config.join);
  if ('bad' in address) throw new Error(address.bad);
  const identity = { edge: config.edgeId, site: config.site, version: config.version };
  const folder = join(config.dataDir, 'edge');
  /** An ack would say something else. */
  const changed = new Signal();

  // What there is: the world on the disk, this machine, its engines.
  const predecessor = new Predecessor(tools.inheritance);
  const tables = await openTables({ dataDir: config.dataDir, isSuccessor: predecessor.isThere, clock, rng, log });
  const ports = new EdgePorts(config.sourcePorts ?? [], rng);
  const records = openRecords(join(folder, 'records'), clock);
  const [lastGood, origins, originFile, routing, engines] = await Promise.all([
    LastGood.open(join(folder, 'world'), { clock, rng, log, newWorld: config.newWorld, changed }),
    openOrigins(join(folder, 'names.json'), config.originsDeny ?? [], { clock, rng, log, lookup: tools.lookup }),
    openOriginFile(join(folder, 'origins.json'), clock, log),
    tools.here ? { here: tools.here, close() {} } : openHere(),
    openEdgeEngines(config, { factories: tools.engines, tables, ports, records, predecessor, log }),
  ]);
  const { replica } = lastGood;

  // The plan, and the parts that do what it says.
  const site = { id: config.site, records: config.records ?? 'all' };
  const planner = new Planner(site, (key) => replica.records.get(key)?.value);
  const rules = () => planner.plan.rules;
  const onStop = config.flush ? 'flush' : 'keep';
  const world = { rules, records: () => replica.records, world: () => replica.world };
  const guard = new Guard({ clock, log, tables, onStop, changed, ...world });
  const watch = new OriginWatch({ ...identity, engines, origins, file: originFile, clock, rng, log });
  watch.changed.listen(() => changed.tell());
  const reconciler = new Reconciler({
    engines,
    setting: config.engine,
    origins,
    clock,
    rng,
    log,
    changed,
    settled: (rule) => guard.settled(rule),
    comesWithSockets: (rule) => predecessor.serves(rule),
    tables,
  });
  engines.listeners.listen(({ engine, id, state }) => reconciler.listener(engine, id, state));
  const isRouted = (rule: string): boolean => reconciler.isRouted(rule);
  const entries = new EntryWatch({ clock, log, here: routing.here, rules: () => rules().values(), isRouted });
  entries.changed.listen(({ rules }) => {
    reconciler.retry(rules);
    changed.tell();
  });
  const parts = { lastGood, planner, origins, guard, reconciler, engines, entries, tables, ports, watch };
  const feed = new PlanFeed(parts);

  // What control hears, and what it says.
  const link = createLinkClient(address, identity, { clock, rng });
  const source = reportSource({ ...parts, identity, records, clock, alarms: tools.alarms ?? (() => []) });
  const reporter = new Reporter({ ...identity, link, source, records: records.queue, clock, rng });
  changed.listen(() => reporter.changed());
  const follower = new Follower({ link, join: config.join, replica, reporter, feed, others: watch.others, clock, log });
  const succession = new EdgeSuccession({
    predecessor,
    engines,
    reconciler,
    follower,
    reporter,
    lastGood,
    guard,
    tables,
  });

  const ready = Promise.withResolvers<void>();
  changed.listen(() => {
    if (replica.world !== '' && reconciler.settled) ready.resolve();
  });
  // order: not before it serves, because until then control may refuse to start, which is said in one line and no other.
  void ready.promise.then(() => {
    tables.marks.keep(KERNEL_TABLE, (id) => rules().has(id));
    for (const { name, unavailable } of engines.report)
      if (unavailable !== undefined) log.info('an engine cannot be used here', { engine: name, reason: unavailable });
  });
  // order: last, because from here until they are bound datagrams wait in their sockets.
  await predecessor.takeSessions();
  if (replica.world !== '') {
    log.info('serving from the disk', { revision: replica.revision, records: replica.records.size });
    // The limits of rules that a predecessor hands over are in its table already, and datagrams wait.
    feed.all({ waitForLimits: !predecessor.isThere });
  } else if (predecessor.isThere) ready.resolve();
  follower.start();

  let stopped: Promise<void> | undefined;
  async function stop(drainMs: number): Promise<void> {
    succession.end();
    const followed = follower.stop();
    entries.close();
    routing.close();
    if (succession.hasSuccessor) reporter.drain();
    reconciler.stop();
    // order: the next process keeps the file from now on.
    if (succession.hasSuccessor) await watch.close(true);
    await origins.close();
    await followed;
    await engines.stop(drainMs);
    // order: at their end engines have told their last outcomes.
    await watch.close(succession.hasSuccessor);
    await guard.stop(succession.hasSuccessor ? 'keep' : undefined);
    await reporter.stop(succession.hasSuccessor ? LAST_WORD_MS : 0);
    await Promise.all([records.close(), lastGood.close()]);
    tables.close(succession.hasSuccessor);
    link.close();
  }
  return { engines: engines.report, ready: ready.promise, stop: (drainMs) => (stopped ??= stop(drainMs)), succession };
}
