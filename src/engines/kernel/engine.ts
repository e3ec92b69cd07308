/**
 * The kernel engine: rules as nftables address translation, packets that never see user space. This file is its door. It
 * writes the table, looks at it and at conntrack once a second, and makes counters and records of what they tell. Traffic
 * does not need it: the table stays when this process goes, and the next engine takes it over.
 */
import type { Clock } from '../../lib/clock.ts';
import { errnoName } from '../../linux/ffi/libc.ts';
import type { Netlink } from '../../linux/netlink/socket.ts';
import { getTable, readTableHandle } from '../../linux/nft/elements.ts';
import { NFNL_SUBSYS_NFTABLES } from '../../linux/nft/nf-tables.ts';
import type { Refusal } from '../../linux/nft/nft.ts';
import type { Rng } from '../../lib/rng.ts';
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type { Applied, Capabilities, Engine, EngineEvents, Listener } from '../engine.ts';
import { STOP_POLL_MS, SWEEP_MS } from '../flow/behaviour.ts';
import { hasCounted, snapshot } from '../flow/counters.ts';
import { bindPoints } from '../flow/endpoints.ts';
import { createThrottle } from './throttle.ts';
import { closeAccount, confirmEnds, startAllAnew, takeBackEnds } from './account/balance.ts';
import type { CounterFile } from './account/counter-file.ts';
import { explainRefusal, portConflict } from './port-conflicts.ts';
import { messagesOf } from './table/encode.ts';
import type { Conntrack } from './conntrack/conntrack.ts';
import { addCarried, readCounts, readLast, readTold } from './account/counts.ts';
import { type DrainDeps, judge } from './conntrack/drains.ts';
import type { PeerResetter } from './conntrack/reset-peers.ts';
import { besideFastPath } from './fast-path/choose.ts';
import { type Carried, type FastPath, NO_FAST_PATH } from './fast-path/fast-path.ts';
import { IPPROTO_UDP } from '../../linux/abi.ts';
import { NONE, contentsOf, drainingContents } from './table/contents.ts';
import { type Contents } from './table/sets.ts';
import { translatable, readListener } from './translatable.ts';
import type { RecordLog } from './account/record-log.ts';
import { createRecorder } from './account/recorder.ts';
import { assignSlots, createRuleSet, isInherited, type KernelRule, pagesFor } from './rules.ts';
import { type Settings, settingsName, settingsOf } from './table/settings.ts';
import { FORWARD, notForwarded, switchedOff, type Sysctls } from './sysctl.ts';
import { createMonitor } from './monitor.ts';
import { LAYOUT } from './table/sets.ts';
import { baseText } from './table/base.ts';
import { createTable } from './table/table.ts';
import { readBack } from './table/read-back.ts';
import { createKeyedQueue } from '../flow/keyed-queue.ts';

interface KernelEngineOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly capabilities: Capabilities;
  /** By name: the engine may set what it needs. */
  readonly isAsked: boolean;
  readonly owner: string;
  /** Whose table it may have been: dead by now. */
  readonly former: readonly string[];
  /** `keep`: the table goes on forwarding when the engine stops. */
  readonly onStop: 'keep' | 'flush';
  /** The one before it lives still. */
  readonly isSuccessor: boolean;
  /** Once the last connection of an earlier life has gone, the table does. */
  readonly isRetiring: boolean;
  readonly sysctls: Sysctls;
  readonly asking: Netlink;
  readonly conntrack: Conntrack;
  /** One for this life, or why there is none. Called again after another process has had it. */
  readonly fastPath: () => { readonly fast: FastPath; readonly note?: string };
  readonly farewell: PeerResetter;
  readonly nft: (text: string) => Promise<Refusal>;
  /** `handle`: the table's; 0 where there is none. */
  readonly books: (handle: number) => CounterFile;
  /** Absent: records are told only, and die with the process. */
  readonly records?: (batch: CounterFile['batch']) => RecordLog;
}

/** limit: how long an end waits to be recorded, and a table that is gone to be missed; looking costs two system calls. */
const LISTEN_MS = 100;

export async function openKernelEngine(options: KernelEngineOptions, events: EngineEvents): Promise<Engine> {
  const { clock, rng, sysctls, asking, farewell, nft } = options;
  let { fast, note } = options.fastPath();
  const conntrack = besideFastPath(options.conntrack, () => fast);
  const books = options.books(tableHandle());
  const registry = createRuleSet(books);
  const { isThere: wasThere, settings, isGuarded: wasGuarded, owners } = readBack(asking, registry);
  const former = owners.filter((owner) => owner !== options.owner);
  const isGuarded = wasGuarded || (options.isAsked && sysctls.read(FORWARD) !== '1');
  const tableOptions = { isGuarded, isFast: fast !== NO_FAST_PATH, owner: options.owner };
  const isStolen = former.some((owner) => !options.former.includes(owner));
  const refusal = isStolen ? STOLEN : await nft(baseText({ ...tableOptions, former }));
  if (refusal !== '') {
    fast.close();
    throw new Error(`the table cannot be made: ${refusal}`);
  }
  // order: the guard is there before anything can pass it.
  if (options.isAsked) for (const { name, why } of switchedOff(sysctls)) switchOn(name, why);
  books.begin(tableHandle());
  // order: before anything can begin or end that would be in no book.
  conntrack.hear(registry.rules.size > 0);
  count();
  const inherited = conntrack.flows();
  if (!books.isCurrent) startAllAnew(registry, inherited);
  const records = options.records?.(books.batch);
  if (records && !options.isSuccessor) {
    const settle = records.isWhole() ? confirmEnds : takeBackEnds;
    for (const rule of registry.rules.values()) settle(rule);
  }
  if (wasThere) events.log('info', 'took over the rules in the kernel', { rules: registry.rules.size });

  const recorder = createRecorder({
    now: () => clock.now(),
    uuid: () => rng.uuid(),
    write: (all) => records?.append(all),
    record: (record) => events.record(record),
    failed: (reason, records) => events.log('error', 'connection records cannot be written', { reason, records }),
    at: (index) => registry.at(index),
  });
  const drains: DrainDeps = {
    monotonic: () => clock.monotonic(),
    // The rules live on, in another engine.
    ...(options.isRetiring && { unheard: { how: 'keep', seconds: 0 } as const }),
    end(flows, cause) {
      for (const flow of flows) recorder.ending(flow, cause);
      conntrack.end(flows);
      farewell.tell(flows);
    },
  };
  const table = createTable({
    nft,
    direct(statements) {
      const messages = messagesOf(statements);
      if (!messages) return undefined;
      const code = asking.transact(NFNL_SUBSYS_NFTABLES, messages);
      return code === 0 ? '' : errnoName(code);
    },
    rules: () => registry.rules.values(),
    isThere,
    settings,
    options: tableOptions,
  });
  const readAllTold = (): void => void readTold(asking, (index) => registry.at(index));
  const log = events.log.bind(events);
  const survey = createMonitor({ clock, conntrack, farewell, registry, recorder, drains, readTold: readAllTold, log });
  survey.adopt(inherited);
  const allowed = createThrottle(clock);
  /** UDP listeners whose clients may have been there before them. */
  const arrived = new Map<string, Listener>();
  const queue = createKeyedQueue();
  let restoring: Promise<Refusal> | undefined;
  let stopping: Promise<void> | undefined;
  let isHanded = false;
  /** Rules that the one before it still serves go when it no longer does; the plan that says which. */
  let hasBegun = !options.isSuccessor;
  let mustPrune: ReadonlySet<string> | undefined;
  let { onStop } = options;

  function switchOn(name: string, why: string): void {
    const problem = sysctls.set(name, '1');
    if (problem === undefined) events.log('info', `${name} is now 1: ${why}`);
    else events.log('error', `${name} cannot be set: ${why}`, { reason: problem });
  }

  function count(): void {
    readCounts(asking, (index) => registry.at(index));
    fast.grown(carried);
  }

  /** order: after what it has carried was counted. */
  function leaveFastPath(): void {
    fast.close();
    fast = NO_FAST_PATH;
  }

  function carried(...[total, packets, bytes]: Parameters<Carried>): void {
    const rule = registry.at(total.index);
    if (rule) addCarried(rule, total, packets, bytes);
  }

  function tableHandle(): number {
    let handle = 0;
    asking.get(getTable(LAYOUT), (view, body, end) => (handle = readTableHandle(view, body, end)));
    return handle;
  }

  async function applyNow(raw: Listener, beside?: Listener): Promise<Applied> {
    if (stopping) return { ok: false, reason: 'the engine is stopping' };
    const read = readListener(raw);
    if ('reason' in read) return refuse(raw.id, read.reason);
    const reached = translatable(read.listener, (entry) => notForwarded([entry], sysctls));
    if ('reason' in reached) return refuse(raw.id, reached.reason);
    const { listener } = reached;
    const known = registry.rules.get(listener.id);
    const mine = known?.isUp && known.listener ? bindPoints(known.listener) : NO_POINTS;
    const isMoving = [...bindPoints(listener).keys()].some((key) => !mine.has(key));
    const others = beside ? bindPoints(beside) : NO_POINTS;
    const taken = isInherited(known) ? undefined : portConflict(listener, [mine, others]);
    if (taken !== undefined) return refuse(listener.id, taken);
    const slots = new Map(known?.slots);
    assignSlots(slots, listener.targets);
    const rule = registry.take(listener.id, listener.proxy, pagesFor(slots));
    if (!rule) return { ok: false, reason: FULL };
    rule.slots = slots;
    const settings = settingsOf(listener);
    if (settings.recordOneIn > 0) conntrack.hear(true);
    const pieces = contentsOf(listener, { indices: [...rule.rows.keys()], slots, settings: settingsName(settings) });
    const refusal = await change(rule, pieces, settings);
    if (refusal !== '') return refuse(rule.id, explainRefusal(refusal));
    if (listener.protocol === 'UDP' && isMoving) {
      arrived.set(listener.id, listener);
      allowed(welcome);
    }
    rule.proxy = listener.proxy;
    rule.listener = listener;
    rule.isUp = true;
    if (known) lookAt(rule);
    const notes = [reached.note, note].filter((one) => one !== undefined);
    return { ok: true, ...(notes.length > 0 && { note: notes.join('; ') }) };
  }

  function welcome(): void {
    if (arrived.size > 0) conntrack.forget([...arrived.values()]);
    arrived.clear();
  }

  function isThere(): boolean {
    return asking.get(getTable(LAYOUT), () => {}) === 0;
  }

  function change(rule: KernelRule, pieces: Contents, settings: Settings | undefined): Promise<Refusal> {
    survey.changing(rule);
    readLast(asking, rule, pieces);
    return table.change(rule, pieces, settings).finally(() => fast.forget());
  }

  async function refuse(id: string, reason: string): Promise<Applied> {
    await down(registry.rules.get(id));
    return { ok: false, reason };
  }

  /** New connections find nothing any more; those that live drain. */
  async function down(rule: KernelRule | undefined): Promise<void> {
    if (!rule || stopping) return;
    arrived.delete(rule.id);
    const flows = allowed(() => conntrack.flows(rule.rows.keys()));
    // Not looked at: there may be some.
    rule.flows = flows?.length ?? 1;
    const isEmpty = rule.flows === 0;
    const left = isEmpty ? NONE : drainingContents(rule.pieces);
    const refusal = await change(rule, left, isEmpty ? undefined : rule.settings);
    if (refusal !== '') events.log('error', 'a rule cannot be taken down', { rule: rule.id, reason: refusal });
    rule.isUp = false;
    if (isEmpty && refusal === '' && letGo(rule)) return;
    lookAt(rule, flows);
    await finish(rule);
  }

  /** Now if it may, and at the next survey: packets that were on their way may have found the rule as it was. */
  function lookAt(rule: KernelRule, flows = allowed(() => conntrack.flows(rule.rows.keys()))): void {
    if (flows) judge(rule, flows, drains);
    rule.mustJudge = true;
  }

  /** Forgets a rule that is down once nothing of it lives, but for what it counted. */
  async function finish(rule: KernelRule): Promise<void> {
    if (rule.isUp || rule.flows > 0 || registry.rules.get(rule.id) !== rule) return;
    if ((await change(rule, NONE, undefined)) === '') letGo(rule);
  }

  /** order: an end that nobody has heard yet needs the rule. False: there may be such. */
  function letGo(rule: KernelRule): boolean {
    if (!survey.listen()) return false;
    closeAccount(rule);
    for (const index of rule.rows.keys()) fast.release(index, carried);
    registry.release(rule);
    return true;
  }

  async function look(): Promise<void> {
    if (stopping || isHanded) return;
    if (registry.rules.size === 0) {
      if (options.isRetiring && hasBegun && isThere()) await clear();
      return conntrack.hear(false);
    }
    welcome();
    survey.attend();
    survey.look();
    fast.sweep((index) => registry.at(index)?.settings?.idleSeconds);
    for (const rule of registry.rules.values()) if (!rule.isUp) void queue.run(rule.id, () => finish(rule));
  }

  /** What is more than a call handles is heard in the next turn of the loop. */
  function hear(): void {
    if (!isHanded && !stopping && !survey.listen()) clock.after(0, hear);
  }

  /** A firewall that reloads flushes every table there is; until ours is back, packets reach no origin. */
  async function guard(): Promise<void> {
    if (isHanded) return;
    fast.attend();
    hear();
    if (restoring || stopping || (options.isRetiring && registry.rules.size === 0) || isThere()) return;
    restoring = table.restore();
    const refusal = await restoring;
    restoring = undefined;
    books.begin(tableHandle());
    const facts = refusal === '' ? {} : { reason: refusal };
    events.log(refusal === '' ? 'warn' : 'error', 'the table was removed by someone else; it is made again', facts);
  }

  async function stopNow(drainMs: number): Promise<void> {
    await queue.idle();
    if (onStop === 'flush') await flush(drainMs);
    for (const timer of timers) timer.cancel();
    await table.settled();
    survey.listen();
    if (onStop === 'keep' && !isHanded) count();
    leaveFastPath();
    asking.close();
    conntrack.close();
    farewell.close();
    records?.close();
    books.close();
  }

  async function flush(drainMs: number): Promise<void> {
    const end = clock.monotonic() + drainMs;
    await Promise.all(
      [...registry.rules.values()].map((rule) => table.change(rule, drainingContents(rule.pieces), rule.settings)),
    );
    const udp = conntrack.flows().filter(({ protocol }) => protocol === IPPROTO_UDP);
    drains.end(udp, 'shutdown');
    while (survey.living() > 0 && clock.monotonic() < end) await clock.sleep(STOP_POLL_MS);
    drains.end(conntrack.flows(), 'shutdown');
    survey.listen();
    count();
    await clear();
  }

  async function clear(): Promise<void> {
    leaveFastPath();
    if (isGuarded) sysctls.set(FORWARD, '0');
    await table.remove();
  }

  async function prune(keep: ReadonlySet<string>): Promise<void> {
    mustPrune = undefined;
    const others = [...registry.rules.keys()].filter((id) => !keep.has(id));
    await Promise.all(others.map((id) => queue.run(id, () => down(registry.rules.get(id)))));
  }

  const timers = [clock.every(LISTEN_MS, () => void guard()), clock.every(SWEEP_MS, () => void look())];
  async function handOver(): Promise<[]> {
    onStop = 'keep';
    survey.listen();
    count();
    isHanded = true;
    leaveFastPath();
    conntrack.hear(false);
    return [];
  }
  async function resume(): Promise<void> {
    if (!isHanded) return;
    ({ onStop } = options);
    isHanded = false;
    ({ fast, note } = options.fastPath());
    conntrack.hear(true);
  }
  async function begin(): Promise<void> {
    hasBegun = true;
    if (mustPrune) await prune(mustPrune);
  }

  return {
    name: 'kernel',
    capabilities: () => options.capabilities,
    apply: (listener, beside) => queue.run(listener.id, () => applyNow(listener, beside)),
    remove: (id) => queue.run(id, () => down(registry.rules.get(id))),
    async prune(keep) {
      if (hasBegun) await prune(keep);
      else mustPrune = keep;
    },
    async counters() {
      if (!stopping && !isHanded) {
        survey.listen();
        count();
        survey.look();
      }
      const all = new Map<string, RuleCounters>();
      for (const [id, counters] of registry.retired) all.set(id, snapshot(counters));
      for (const { id, counted } of registry.rules.values()) if (hasCounted(counted)) all.set(id, snapshot(counted));
      return all;
    },
    stop: (drainMs) => (stopping ??= stopNow(drainMs)),
    succession: { handOver, pause: () => Promise.resolve(), resume, begin },
  };
}

const FULL =
  'the kernel engine has 65,535 rules (one with more than 511 origins counts several times), all it can have';
const STOLEN = 'another edge on this machine has just made it';
const NO_POINTS: ReadonlySet<string> = new Set();
