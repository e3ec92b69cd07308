/**
 * Which origins get new connections, and how connections to them went: it obeys the states that the edge says, and tells the
 * outcomes that the table and conntrack show. It judges no origin (edge/health does) and chooses none (the table does). This
 * is the door of the folder; the engine calls it.
 */
import type { Clock } from '../../../lib/clock.ts';
import { IPPROTO_TCP } from '../../../linux/abi.ts';
import { type Flow, IPS } from '../../../linux/netlink/conntrack.ts';
import type { DialOutcome } from '../../../domain/fact/health.ts';
import type { EngineEvents, Target, TargetState } from '../../engine.ts';
import { outcomeOf, OutcomeTally } from '../../flow/outcomes.ts';
import type { TargetStates } from '../../flow/target-states.ts';
import type { Accounts } from '../account/account.ts';
import type { TakeDials } from '../account/dials.ts';
import type { Recorder } from '../account/recorder.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import type { Monitor } from '../monitor.ts';
import type { KernelRule, RuleSet } from '../rules.ts';
import { leadsTo } from '../table/contents.ts';
import { indexOf } from '../table/marks.ts';
import { familyOf } from '../table/sets.ts';
import { createThrottle } from '../throttle.ts';
import { Handshakes } from './handshakes.ts';
import type { TargetUses } from './uses.ts';

interface OriginDeps {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly rules: Pick<RuleSet, 'at'>;
  readonly uses: TargetUses;
  readonly states: TargetStates;
  readonly conntrack: Pick<Conntrack, 'flows' | 'unanswered' | 'end'>;
  readonly monitor: Pick<Monitor, 'checkDrains'>;
  readonly accounts: Pick<Accounts, 'dials' | 'unheard'> & { readonly recorder: Pick<Recorder, 'ending'> };
  /** Writes the rules anew, as the states are now, in one transaction. */
  readonly refresh: (rules: Iterable<KernelRule>) => Promise<void>;
  readonly events: Pick<EngineEvents, 'outcomes'>;
}

/**
 * limit: while an origin is tried, so often and for so long; of clients that come more seldom, a usual look leads one too many
 * there.
 */
const TRIED = { everyMs: 10, forMs: 1_000 } as const;
/** What a step of a dial says; no end: it has begun. Silence of UDP says nothing. */
const STEPS = {
  begun: { protocol: 'TCP', end: undefined },
  ok: { protocol: 'TCP', end: 'ok' },
  refused: { protocol: 'TCP', end: 'origin-refused' },
  opened: { protocol: 'UDP', end: undefined },
  answered: { protocol: 'UDP', end: 'ok' },
} as const satisfies Record<Parameters<TakeDials>[0], object>;
/** limit: one look per rule costs less than one through all, up to about so many. */
const FEW = 8;

export class Origins {
  readonly #deps: OriginDeps;
  readonly #tally: OutcomeTally;
  readonly #handshakes = new Handshakes();
  readonly #throttle: ReturnType<typeof createThrottle>;
  /** Targets to try to which nothing has gone yet. */
  readonly #tried = new Set<number>();
  /** Packets that were on their way when a target went down may have found it. */
  #mustLookAgain = false;
  #isClosed = false;

  constructor(deps: OriginDeps) {
    this.#deps = deps;
    this.#tally = new OutcomeTally(deps.clock, deps.events);
    this.#throttle = createThrottle(deps.clock);
  }

  /**
   * A target to try takes its share until a look sees the first connection: the table knows no count that all rules share.
   * Then nothing new goes there until its state is said.
   */
  async obey(changes: readonly TargetState[]): Promise<void> {
    if (this.#isClosed) return;
    const { clock } = this.#deps;
    for (const change of changes) {
      this.#deps.states.set(change, clock.monotonic());
      if (change.state === 'try') this.#tried.add(change.target);
      else this.#tried.delete(change.target);
    }
    const rules = await this.#refresh(changes.map(({ target }) => target));
    if (this.#isClosed) return;
    this.#attendTries(this.#deps.clock.monotonic() + TRIED.forMs);
    if (changes.some(({ state }) => state === 'down')) this.#move(rules);
    if (changes.some(({ state }) => state !== 'try')) this.#judge([...rules].filter(mayCut));
  }

  /** To be called often: tells outcomes. */
  look(): void {
    this.#throttle(() => this.#readDials());
    if (this.#mustLookAgain) this.#forgetUnanswered();
    this.#mustLookAgain = false;
  }

  /** The engine stops: what is in the table and in conntrack stays there, and the last outcomes are told. */
  close(): void {
    this.#isClosed = true;
    this.#tally.tell();
  }

  async #refresh(targets: readonly number[]): Promise<ReadonlySet<KernelRule>> {
    const rules = new Set(targets.flatMap((target) => [...this.#deps.uses.rulesOf(target)]));
    await this.#deps.refresh(rules);
    return rules;
  }

  #attendTries(until: number): void {
    const { clock } = this.#deps;
    if (this.#tried.size === 0 || clock.monotonic() >= until) return;
    clock.after(TRIED.everyMs, () => {
      if (this.#isClosed) return;
      this.#throttle(() => this.#readDials());
      this.#attendTries(until);
    });
  }

  #readDials(): void {
    const { accounts, uses, clock } = this.#deps;
    const now = clock.monotonic();
    accounts.unheard((mark, count) => this.#noteUnheard(mark, count));
    accounts.dials((step, address, port, count) => {
      const place = `${address} ${port}`;
      const { protocol, end } = STEPS[step];
      if (step === 'begun') this.#handshakes.begin(place, count, now);
      else if (protocol === 'TCP') this.#handshakes.end(place, count);
      for (const [number, { originPorts }] of uses.at(address, port, protocol)) {
        if (end === undefined) this.#hasTried(number);
        else this.#note(number, end === 'ok' ? end : outcomeOf(end, protocol, originPorts), count);
      }
    });
    for (const place of this.#handshakes.places()) this.#noteLate(place, now);
  }

  #noteUnheard(mark: number, count: number): void {
    const rule = this.#deps.rules.at(indexOf(mark));
    if (!rule?.listener) return;
    const { targets, originPorts } = rule.listener;
    const address = leadsTo(rule.contents, mark);
    const target = targets.find((one) => one.address === address);
    if (target) this.#note(target.number, outcomeOf('origin-refused', 'UDP', originPorts), count);
  }

  #noteLate(place: string, now: number): void {
    const [address = '', port] = place.split(' ');
    const leading = [...this.#deps.uses.at(address, Number(port), 'TCP')];
    const timeouts = leading.map(([, { options }]) => options.connectTimeoutMs);
    const late = this.#handshakes.late(place, now - Math.max(0, ...timeouts));
    for (const [number] of leading) this.#note(number, 'timed-out', late);
  }

  #note(number: number, outcome: DialOutcome | undefined, count: number): void {
    if (outcome && count > 0) this.#tally.note(number, outcome, count);
  }

  #hasTried(number: number): void {
    if (this.#tried.delete(number) && this.#deps.states.take(number)) void this.#refresh([number]);
  }

  /**
   * What goes elsewhere at its next packet: UDP sessions with a target that is down, and handshakes that it does not answer,
   * whose repeated SYNs the kernel would go on leading there. Connections that it has answered stay.
   */
  #move(rules: ReadonlySet<KernelRule>): void {
    const { conntrack } = this.#deps;
    const moving = [...rules].filter(({ listener }) => listener?.protocol === 'UDP');
    const flows = moving.length > FEW ? conntrack.flows() : conntrack.flows(moving.flatMap(({ indices }) => indices));
    this.#forget(flows.filter((flow) => this.#mustGo(flow)));
    this.#forgetUnanswered();
    this.#mustLookAgain = true;
  }

  #forgetUnanswered(): void {
    const waiting: Flow[] = [];
    this.#deps.conntrack.unanswered((flow) => void (this.#mustGo(flow) && waiting.push(flow)));
    this.#forget(waiting);
  }

  #mustGo(flow: Flow): boolean {
    const isAnswered = (flow.status & IPS.SEEN_REPLY) !== 0;
    if (flow.protocol === IPPROTO_TCP && isAnswered) return false;
    const rule = this.#deps.rules.at(indexOf(flow.mark));
    const target = rule?.listener?.targets.find(({ address }) => address === flow.reply.source.address);
    return rule !== undefined && target !== undefined && this.#isLeft(rule, target);
  }

  /** The target is down, and another one of the rule can take its connections. */
  #isLeft({ listener }: KernelRule, { number, address }: Target): boolean {
    const { states } = this.#deps;
    if (!listener || !states.isLeft(number)) return false;
    return listener.targets.some(
      (other) => other.weight > 0 && familyOf(other.address) === familyOf(address) && !states.isShut(other.number),
    );
  }

  /** Now, and once more at the next check: packets that were on their way may have found a target as it was. */
  #judge(rules: readonly KernelRule[]): void {
    if (rules.length === 0) return;
    for (const rule of rules) rule.mustJudge = true;
    this.#deps.monitor.checkDrains();
    for (const rule of rules) rule.mustJudge = true;
  }

  /** order: the cause before the end, which is heard of afterwards. not: a reset; the clients are to come again. */
  #forget(flows: readonly Flow[]): void {
    const { accounts, conntrack } = this.#deps;
    for (const flow of flows)
      accounts.recorder.ending(flow, flow.protocol === IPPROTO_TCP ? 'origin-timeout' : 'drained');
    if (flows.length > 0) conntrack.end(flows);
  }
}

/** Connections that a target of the rule has answered may have to go because it is down. */
function mayCut({ listener }: KernelRule): boolean {
  return listener?.protocol === 'TCP' && listener.options.unhealthy !== 'keep';
}
