/**
 * The kernel engine: rules as nftables address translation, packets that never see user space. This file is its story. It
 * changes the table rule by rule, looks at conntrack once and again, and makes counters and records of what it finds.
 * Traffic does not need it: the table stays when this process goes, and the next engine takes it over (open.ts). It runs on
 * a thread of its own (hosting/), which calls createKernelEngine.
 */
import { type Clock, systemClock, type Timer } from '../../lib/clock.ts';
import { IPPROTO_UDP } from '../../linux/abi.ts';
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type {
  Applied,
  Capabilities,
  Engine,
  EngineEvents,
  HandedSession,
  Listener,
  Succession,
  TargetState,
} from '../engine.ts';
import { OUTCOMES_MS, STOP_POLL_MS, SWEEP_MS } from '../flow/behaviour.ts';
import { hasCounted, snapshot } from '../flow/counters.ts';
import { createKeyedQueue } from '../flow/keyed-queue.ts';
import { kernelCapabilities } from './capabilities.ts';
import { Changes } from './changes.ts';
import { openParts, type Parts } from './open.ts';
import { Origins } from './origins/origins.ts';
import { TargetUses } from './origins/uses.ts';
import type { KernelRule } from './rules.ts';
import type { KernelSetting } from './setting.ts';
import { FORWARD, systemSysctls as sysctls } from './sysctl.ts';
import { drainingContents } from './table/contents.ts';

/** limit: how long an end waits to be recorded, and a table that is gone to be missed; looking costs two system calls. */
const ATTEND_MS = 100;

/** Rejects where the table can't be made. */
export async function createKernelEngine(events: EngineEvents, setting: KernelSetting): Promise<Engine> {
  return new KernelEngine(await openParts(setting, events), setting, events);
}

class KernelEngine implements Engine {
  readonly name = 'kernel';
  readonly succession: Succession;
  readonly #parts: Parts;
  readonly #changes: Changes;
  readonly #origins: Origins;
  readonly #capabilities: Capabilities;
  readonly #isRetiring: boolean;
  readonly #log: EngineEvents['log'];
  readonly #clock: Clock = systemClock;
  readonly #timers: readonly Timer[];
  /** Calls about one rule wait for each other. */
  readonly #queue = createKeyedQueue();
  /** The table goes with this engine, unless another process has it by then. */
  readonly #mustFlush: boolean;
  /** Another process hears, counts, drains and carries. */
  #isHanded = false;
  /** States that were said while another process had the table. */
  #unheard: TargetState[] = [];
  /** Until then another process serves the rules that this one does not know yet. */
  #hasBegun: boolean;
  /** The plan that came before that: which rules stay. */
  #mustPrune: ReadonlySet<string> | undefined;
  #restoring: Promise<unknown> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(parts: Parts, setting: KernelSetting, events: EngineEvents) {
    this.#parts = parts;
    this.#log = events.log.bind(events);
    const { rules, states, table, accounts, conntrack, drains, monitor, acceleration } = parts;
    const works = { rules, states, table, accounts, conntrack, drains, monitor, acceleration, uses: new TargetUses() };
    this.#changes = new Changes({ ...works, clock: this.#clock, sysctls, log: this.#log });
    const refresh = (rules: Iterable<KernelRule>): Promise<void> =>
      this.#changes.refresh(rules, (rule, call) => this.#queue.run(rule, call));
    this.#origins = new Origins({ ...works, events, clock: this.#clock, refresh });
    this.#isRetiring = setting.isRetiring === true;
    this.#capabilities = kernelCapabilities(setting.use === 'by name', this.#isRetiring);
    this.#mustFlush = setting.onStop === 'flush';
    this.#hasBegun = !parts.isSuccessor;
    this.#timers = [
      this.#clock.every(ATTEND_MS, () => void this.#attend()),
      this.#clock.every(SWEEP_MS, () => void this.#look()),
      this.#clock.every(OUTCOMES_MS, () => this.#isActive() && rules.byId.size > 0 && this.#origins.look()),
    ];
    this.succession = {
      handOver: () => this.#handOver(),
      pause: () => Promise.resolve(),
      resume: () => this.#resume(),
      begin: () => this.#begin(),
    };
  }

  capabilities(): Capabilities {
    return this.#capabilities;
  }

  apply(listener: Listener, beside?: Listener): Promise<Applied> {
    return this.#queue.run(listener.id, () =>
      this.#stopping ? { ok: false, reason: 'the engine is stopping' } : this.#changes.apply(listener, beside),
    );
  }

  remove(id: string): Promise<void> {
    return this.#queue.run(id, () => this.#changes.takeDown(id));
  }

  /** order: not before this engine has begun. Rules that the process before it still serves go when it no longer does. */
  async prune(keep: ReadonlySet<string>): Promise<void> {
    this.#mustPrune = this.#hasBegun ? undefined : keep;
    if (!this.#hasBegun) return;
    const gone = [...this.#parts.rules.byId.keys()].filter((id) => !keep.has(id));
    await Promise.all(gone.map((id) => this.remove(id)));
  }

  states(changes: readonly TargetState[]): Promise<void> {
    if (!this.#isHanded) return this.#origins.obey(changes);
    this.#unheard.push(...changes);
    return Promise.resolve();
  }

  counters(): Promise<ReadonlyMap<string, RuleCounters>> {
    const { rules, monitor } = this.#parts;
    if (this.#isActive()) {
      monitor.takeEnds();
      this.#count();
      monitor.scan();
    }
    const all = new Map<string, RuleCounters>();
    for (const [id, counters] of rules.retired) all.set(id, snapshot(counters));
    for (const { id, account } of rules.byId.values())
      if (hasCounted(account.counted)) all.set(id, snapshot(account.counted));
    return Promise.resolve(all);
  }

  stop(drainMs: number): Promise<void> {
    this.#changes.close();
    this.#origins.close();
    return (this.#stopping ??= this.#stop(drainMs));
  }

  #isActive(): boolean {
    return !this.#stopping && !this.#isHanded;
  }

  #count(): void {
    this.#parts.accounts.count();
    this.#parts.acceleration.count();
  }

  /** Often: hears what has ended, and makes the table again where another program has removed it. */
  async #attend(): Promise<void> {
    if (this.#isHanded) return;
    const { acceleration, rules, table } = this.#parts;
    acceleration.attend();
    this.#takeEnds();
    const isOver = this.#isRetiring && rules.byId.size === 0;
    if (this.#restoring || this.#stopping || isOver || table.isThere()) return;
    await (this.#restoring = this.#restore());
    this.#restoring = undefined;
  }

  /** A firewall that reloads flushes every table there is; until ours is back, packets reach no origin. */
  async #restore(): Promise<void> {
    const { table, accounts, handle } = this.#parts;
    const refusal = await table.restore();
    accounts.begin(handle());
    const facts = refusal === '' ? {} : { reason: refusal };
    this.#log(refusal === '' ? 'warn' : 'error', 'the table was removed by someone else; it is made again', facts);
  }

  /** More than one call takes is heard in the next turn of the event loop. */
  #takeEnds(): void {
    if (this.#isActive() && !this.#parts.monitor.takeEnds()) this.#clock.after(0, () => this.#takeEnds());
  }

  /** Now and then: ends what has to go, looks through all connections, forgets rules of which none is left. */
  async #look(): Promise<void> {
    if (!this.#isActive()) return;
    const { rules, table, conntrack, monitor, acceleration } = this.#parts;
    if (rules.byId.size === 0) {
      if (this.#isRetiring && this.#hasBegun && table.isThere()) await this.#clear();
      return conntrack.hear(false);
    }
    this.#changes.forgetEarlierFlows();
    monitor.checkDrains();
    monitor.scan();
    acceleration.sweep();
    for (const rule of rules.byId.values())
      if (!rule.isUp) void this.#queue.run(rule.id, () => this.#changes.finish(rule));
  }

  /** The next process hears, counts, drains and carries from now on. The table goes on as it is. */
  #handOver(): Promise<readonly HandedSession[]> {
    this.#parts.monitor.takeEnds();
    this.#count();
    this.#isHanded = true;
    this.#parts.acceleration.close();
    this.#parts.conntrack.hear(false);
    return Promise.resolve([]);
  }

  async #resume(): Promise<void> {
    if (!this.#isHanded) return;
    this.#isHanded = false;
    this.#parts.acceleration.reopen();
    this.#parts.conntrack.hear(true);
    await this.#origins.obey(this.#unheard.splice(0));
  }

  async #begin(): Promise<void> {
    this.#hasBegun = true;
    if (this.#mustPrune) await this.prune(this.#mustPrune);
  }

  async #stop(drainMs: number): Promise<void> {
    const { table, monitor, acceleration, close } = this.#parts;
    await this.#queue.idle();
    if (this.#mustFlush && !this.#isHanded) await this.#flush(drainMs);
    for (const timer of this.#timers) timer.cancel();
    await table.settled();
    monitor.takeEnds();
    if (!this.#mustFlush && !this.#isHanded) this.#count();
    acceleration.close();
    close();
  }

  /** Nothing new is led, what lives gets its time, then the table goes. */
  async #flush(drainMs: number): Promise<void> {
    const { rules, table, conntrack, drains, monitor } = this.#parts;
    const end = this.#clock.monotonic() + drainMs;
    const draining = [...rules.byId.values()].map((rule) =>
      table.change(rule, drainingContents(rule.contents), rule.settings),
    );
    await Promise.all(draining);
    const udp = conntrack.flows().filter(({ protocol }) => protocol === IPPROTO_UDP);
    drains.end(udp, 'shutdown');
    while (monitor.countOpen() > 0 && this.#clock.monotonic() < end) await this.#clock.sleep(STOP_POLL_MS);
    drains.end(conntrack.flows(), 'shutdown');
    monitor.takeEnds();
    this.#count();
    await this.#clear();
  }

  /** Nothing of this engine is left in the kernel. */
  async #clear(): Promise<void> {
    this.#parts.acceleration.close();
    if (this.#parts.isGuarded) sysctls.set(FORWARD, '0');
    await this.#parts.table.remove();
  }
}
