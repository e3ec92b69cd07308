/**
 * Looks at connections that live and takes those that have ended. Often, and only where something is about to change: rules
 * whose connections have to go. Now and then, the more seldom the longer it takes: all connections, for how many there are,
 * for the minute's records, and for those that belong to no rule. The engine calls it on its timers.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Flow } from '../../linux/netlink/conntrack.ts';
import type { EngineEvents } from '../engine.ts';
import { RECORD_EVERY_MS } from '../flow/behaviour.ts';
import { balance } from './account/balance.ts';
import type { Recorder } from './account/recorder.ts';
import type { Conntrack } from './conntrack/conntrack.ts';
import type { Drains } from './conntrack/drains.ts';
import { createIdleTimes } from './conntrack/idle-times.ts';
import type { PeerResetter } from './conntrack/reset-peers.ts';
import type { KernelRule, RuleSet } from './rules.ts';
import { indexOf, isOver, isTold } from './table/marks.ts';

interface MonitorDeps {
  readonly clock: Clock;
  readonly conntrack: Conntrack;
  readonly resetter: PeerResetter;
  readonly rules: RuleSet;
  readonly accounts: { readonly recorder: Recorder; countTold(): void };
  readonly drains: Drains;
  readonly log: EngineEvents['log'];
}

export interface Monitor {
  /** To be called before a rule changes. */
  changing(rule: KernelRule): void;
  /** Looks after rules whose connections have to go. */
  checkDrains(): void;
  /** Looks through all connections, if the last time is long enough ago for what it costs. */
  scan(): void;
  /** Takes the ends that wait; gives whether these were all. */
  takeEnds(): boolean;
  /**
   * These connections were there before this engine. The system tells of the end of one only if a process listened when it
   * began, so they are looked for as long as they live.
   */
  adopt(flows: readonly Flow[]): void;
  /** How many connections are open, by a look of its own. */
  countOpen(): number;
}

/** limit: a scan takes a fiftieth of one core at most, and never waits longer than a minute's record can. */
const SCAN_SHARE = 50;
const SCAN_MS = { least: 500, most: 30_000 } as const;
/** limit: a line each is enough for an operator. */
const WARN_MS = 10_000;
/** limit: about 50 MB; of more, those whose end is not heard are counted as lost. */
const MOST_ADOPTED = 100_000;
/** limit: one look per rule costs less than one through all, up to about so many. */
const FEW = 8;

export function createMonitor({ clock, conntrack, resetter, rules, accounts, drains, log }: MonitorDeps): Monitor {
  const { recorder } = accounts;
  const idleTimes = createIdleTimes({ clock, conntrack, rules: () => rules.byId.values(), end: drains.end });
  let nextScan = 0;
  let nextWarning = 0;
  /** At the last scan there were connections whose end will be told. */
  let hadTold = true;
  /** As last seen, by conntrack id. */
  const adopted = new Map<number, Flow>();

  /** A rule's connections may be in the sample. */
  function mayTell(): boolean {
    return rules.byId.values().some(({ settings }) => settings?.recordOneIn !== 0);
  }

  function takeEnds(): boolean {
    const silent: Flow[] = [];
    const { lost, isAll } = conntrack.ended((flow) => {
      adopted.delete(flow.id);
      if (recorder.ended(flow) === 'idle') silent.push(flow);
    });
    resetter.reset(silent);
    recorder.settle();
    if (lost && clock.monotonic() >= nextWarning) {
      nextWarning = clock.monotonic() + WARN_MS;
      log('warn', 'more connections ended at once than could be heard of; the records of some are lost, and counted');
    }
    return isAll;
  }

  function checkDrain(rule: KernelRule, flows: readonly Flow[]): void {
    rule.flows = flows.length;
    // A connection that found its way while its rule changed was not looked at yet.
    if (rule.mustJudge) drains.judge(rule, flows);
    else drains.endDue(rule, flows);
    rule.mustJudge = false;
  }

  /** A rule of an earlier life is not judged before this life has said what it is to be. */
  function needsCheck(rule: KernelRule): boolean {
    const { mustJudge, isUp, listener } = rule;
    return drains.deadlines(rule).size > 0 || (mustJudge && (listener !== undefined || !isUp));
  }

  function checkDrains(): void {
    idleTimes.attend();
    const due = [...rules.byId.values()].filter(needsCheck);
    if (due.length <= FEW) return due.forEach((rule) => checkDrain(rule, conntrack.flows(rule.indices)));
    const flows = Map.groupBy(conntrack.flows(), ({ mark }) => rules.at(indexOf(mark)));
    for (const rule of due) checkDrain(rule, flows.get(rule) ?? []);
  }

  function scan(): void {
    const start = clock.monotonic();
    if (start < nextScan) return;
    // With 10,000 rules that dump takes longer than all the rest.
    if (hadTold || mayTell()) accounts.countTold();
    const { active, all, told, orphans, gone } = walk();
    // order: the ends that wait after all that lives, else one that ends in between would seem lost.
    const isAll = takeEnds();
    for (const flow of gone) if (adopted.delete(flow.id)) recorder.ended(flow, 'unseen');
    recorder.settle();
    for (const rule of rules.byId.values()) {
      rule.flows = all.get(rule) ?? 0;
      rule.account.counted.active = active.get(rule) ?? 0;
      if (isAll) balance(rule.account, told.get(rule) ?? 0);
    }
    hadTold = told.size > 0;
    conntrack.hear(hadTold || mayTell());
    if (orphans.length > 0) drains.end(orphans, 'drained');
    recorder.sweep();
    const took = clock.monotonic() - start;
    nextScan = start + Math.max(SCAN_MS.least, Math.min(SCAN_MS.most, took * SCAN_SHARE));
    // Cheap enough to be up to date for every question.
    if (took * SCAN_SHARE < SCAN_MS.least) nextScan = 0;
  }

  /** Counts all connections by rule, and writes the minute's records. */
  function walk() {
    const active = new Tally();
    const all = new Tally();
    const told = new Tally();
    const orphans: Flow[] = [];
    const unseen = new Map(adopted);
    const oldest = clock.now() - RECORD_EVERY_MS;
    conntrack.scan((brief, whole) => {
      const rule = rules.at(indexOf(brief.mark));
      const isOpen = !isOver(brief);
      all.add(rule);
      if (isOpen) active.add(rule);
      if (isTold(brief.mark)) told.add(rule);
      const isAdopted = unseen.delete(brief.id);
      // Of a rule that went while the connection came; or of an engine that died before it could cut it.
      const isOrphan = isOpen && !rule;
      if (!isOrphan && !isAdopted && (brief.startedAt ?? Infinity) > oldest) return;
      const flow = whole();
      if (flow && isAdopted) adopted.set(flow.id, flow);
      if (flow && isOrphan) orphans.push(flow);
      else if (flow) recorder.alive(flow);
    });
    return { active, all, told, orphans, gone: [...unseen.values()] };
  }

  return {
    changing: (rule) => idleTimes.note([rule]),
    checkDrains,
    scan,
    takeEnds,
    adopt(flows) {
      idleTimes.note();
      for (const flow of flows.slice(0, MOST_ADOPTED)) if (isTold(flow.mark)) adopted.set(flow.id, flow);
    },
    countOpen: () => conntrack.flows().filter((flow) => !isOver(flow)).length,
  };
}

/** Connections by rule; under `undefined` those of none. */
class Tally extends Map<KernelRule | undefined, number> {
  add(rule: KernelRule | undefined): void {
    this.set(rule, (this.get(rule) ?? 0) + 1);
  }
}
