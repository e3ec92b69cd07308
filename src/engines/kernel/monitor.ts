/**
 * The engine's looks at what lives and what has ended. Often, and only where something is about to change: rules whose
 * connections have to go. Now and then, as seldom as it is dear: all connections, for how many there are, for the minute's
 * records, and for those that belong to nobody. Called by the engine on its timers.
 */
import { RECORD_EVERY_MS } from '../flow/behaviour.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EngineEvents } from '../engine.ts';
import type { Conntrack } from './conntrack/conntrack.ts';
import { type DrainDeps, endDue, judge } from './conntrack/drains.ts';
import type { PeerResetter } from './conntrack/reset-peers.ts';
import type { Flow } from '../../linux/netlink/conntrack.ts';
import { audit } from './account/balance.ts';
import { createIdleTimes } from './conntrack/idle-times.ts';
import { indexOf, isTold } from './table/marks.ts';
import { isOver, type Recorder } from './account/recorder.ts';
import type { KernelRule, RuleSet } from './rules.ts';

interface MonitorDeps {
  readonly clock: Clock;
  readonly conntrack: Conntrack;
  readonly farewell: PeerResetter;
  readonly registry: RuleSet;
  readonly recorder: Recorder;
  readonly drains: DrainDeps;
  /** Reads how many connections there were whose end is told: counts.ts. */
  readonly readTold: () => void;
  readonly log: EngineEvents['log'];
}

interface Monitor {
  /** This rule is about to change. */
  changing(rule: KernelRule): void;
  /** Looks after rules whose connections have to go. */
  attend(): void;
  /** Looks through all, if the last time is long enough ago for what it costs. */
  look(): void;
  /** Takes the ends that wait; gives whether that is all of them. */
  listen(): boolean;
  /**
   * These were there before this engine. The system tells of the end of one only if somebody listened when it began, so
   * they are looked for as long as they live.
   */
  adopt(flows: readonly Flow[]): void;
  /** How many connections are open, by a look of its own. */
  living(): number;
}

/** limit: looking takes a fiftieth of one core at most, and never waits longer than a minute's record can. */
const LOOK_SHARE = 50;
const LOOK_MS = { least: 500, most: 30_000 } as const;

/** limit: a line each is enough for an operator. */
const WARN_MS = 10_000;
/** limit: about 50 MB; of more, those that are not heard of are counted as lost. */
const MOST_ADOPTED = 100_000;

/** limit: one look per rule costs less than one through all, up to about so many. */
const FEW = 8;

/** Connections by rule; under `undefined` those of none. */
const createTally = (): Map<KernelRule | undefined, number> => new Map();

export function createMonitor(deps: MonitorDeps): Monitor {
  const { clock, conntrack, farewell, registry, recorder, drains, log } = deps;
  const idleTimes = createIdleTimes({
    clock,
    conntrack,
    rules: () => registry.rules.values(),
    end: (flows, cause) => drains.end(flows, cause),
  });
  let nextLook = 0;
  let nextWarning = 0;
  /** At the last look there were connections whose end will be told. */
  let hadTold = true;
  /** As last seen, by conntrack id. */
  const adopted = new Map<number, Flow>();

  /** A rule's connections may be in the sample. */
  function mayTell(): boolean {
    return registry.rules.values().some(({ settings }) => settings?.recordOneIn !== 0);
  }

  function listen(): boolean {
    const silent: Flow[] = [];
    const { lost, isAll } = conntrack.ended((flow) => {
      adopted.delete(flow.id);
      if (recorder.ended(flow) === 'idle') silent.push(flow);
    });
    farewell.tell(silent);
    recorder.settle();
    if (lost && clock.monotonic() >= nextWarning) {
      nextWarning = clock.monotonic() + WARN_MS;
      log('warn', 'more connections ended at once than could be heard of; the records of some are lost, and counted');
    }
    return isAll;
  }

  function attendTo(rule: KernelRule, flows: readonly Flow[]): void {
    rule.flows = flows.length;
    // One that found its way while its rule changed is in nobody's books yet.
    if (rule.mustJudge) judge(rule, flows, drains);
    else endDue(rule, flows, drains);
    rule.mustJudge = false;
  }

  function attend(): void {
    idleTimes.attend();
    const rules = [...registry.rules.values()].filter(needsAttention);
    if (rules.length <= FEW) return rules.forEach((rule) => attendTo(rule, conntrack.flows(rule.rows.keys())));
    const flows = Map.groupBy(conntrack.flows(), ({ mark }) => registry.at(indexOf(mark)));
    for (const rule of rules) attendTo(rule, flows.get(rule) ?? []);
  }

  function look(): void {
    const start = clock.monotonic();
    if (start < nextLook) return;
    const [active, all, told] = [createTally(), createTally(), createTally()];
    const orphans: Flow[] = [];
    const gone = new Map(adopted);
    // With 10,000 rules that dump takes longer than all the rest.
    if (hadTold || mayTell()) deps.readTold();
    const oldest = clock.now() - RECORD_EVERY_MS;
    conntrack.scan((brief, whole) => {
      const rule = registry.at(indexOf(brief.mark));
      const isOpen = !isOver(brief);
      all.set(rule, (all.get(rule) ?? 0) + 1);
      if (isOpen) active.set(rule, (active.get(rule) ?? 0) + 1);
      if (isTold(brief.mark)) told.set(rule, (told.get(rule) ?? 0) + 1);
      const isAdopted = gone.delete(brief.id);
      // Of a rule that went while it came; or of an engine that died before it could cut it.
      const isOrphan = isOpen && !rule;
      if (!isOrphan && !isAdopted && (brief.startedAt ?? Infinity) > oldest) return;
      const flow = whole();
      if (flow && isAdopted) adopted.set(flow.id, flow);
      if (flow && isOrphan) orphans.push(flow);
      else if (flow) recorder.alive(flow);
    });
    const isAll = listen();
    for (const flow of gone.values()) if (adopted.delete(flow.id)) recorder.ended(flow, 'unseen');
    recorder.settle();
    for (const rule of registry.rules.values()) {
      rule.flows = all.get(rule) ?? 0;
      rule.counted.active = active.get(rule) ?? 0;
      if (isAll) audit(rule, told.get(rule) ?? 0);
    }
    hadTold = told.size > 0;
    conntrack.hear(hadTold || mayTell());
    if (orphans.length > 0) drains.end(orphans, 'drained');
    recorder.sweep();
    const took = clock.monotonic() - start;
    nextLook = start + Math.max(LOOK_MS.least, Math.min(LOOK_MS.most, took * LOOK_SHARE));
    // Cheap enough to be up to date whenever asked.
    if (took * LOOK_SHARE < LOOK_MS.least) nextLook = 0;
  }

  return {
    changing: (rule) => idleTimes.note([rule]),
    attend,
    look,
    listen,
    adopt(flows) {
      idleTimes.note();
      for (const flow of flows.slice(0, MOST_ADOPTED)) if (isTold(flow.mark)) adopted.set(flow.id, flow);
    },
    living: () => conntrack.flows().filter((flow) => !isOver(flow)).length,
  };
}

/** A rule of an earlier life is not judged before this life has said what it is to be. */
function needsAttention({ leaving, mustJudge, isUp, listener }: KernelRule): boolean {
  return leaving.size > 0 || (mustJudge && (listener !== undefined || !isUp));
}
