/**
 * Changes of rules: one is applied, taken down, or finished once nothing of it lives. Each step leaves the table, conntrack
 * and the accounts agreeing. It refuses rules that address translation can't serve. The engine calls it, one call per rule
 * at a time.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Refusal } from '../../linux/nft/nft.ts';
import type { Applied, EngineEvents, Listener } from '../engine.ts';
import { bindPoints } from '../flow/endpoints.ts';
import type { TargetStates } from '../flow/target-states.ts';
import type { Acceleration } from './acceleration.ts';
import type { Accounts } from './account/account.ts';
import { closeAccount } from './account/balance.ts';
import type { Conntrack } from './conntrack/conntrack.ts';
import type { Drains } from './conntrack/drains.ts';
import type { Monitor } from './monitor.ts';
import type { TargetUses } from './origins/uses.ts';
import { portConflict } from './port-conflicts.ts';
import { isInherited, type KernelRule, type RuleSet } from './rules.ts';
import { notForwarded, type Sysctls } from './sysctl.ts';
import { contentsOf, drainingContents, type Place, turned } from './table/contents.ts';
import { type Contents, NO_CONTENTS } from './table/sets.ts';
import { type Settings, settingsName, settingsOf } from './table/settings.ts';
import { assignSlots, pagesFor } from './table/slots.ts';
import { explainRefusal, type Table } from './table/table.ts';
import { createThrottle } from './throttle.ts';
import { readListener, translatable } from './translatable.ts';

interface ChangeDeps {
  readonly clock: Clock;
  readonly rules: RuleSet;
  readonly table: Table;
  readonly accounts: Accounts;
  readonly conntrack: Conntrack;
  readonly drains: Drains;
  readonly monitor: Monitor;
  readonly acceleration: Acceleration;
  readonly uses: TargetUses;
  readonly states: TargetStates;
  readonly sysctls: Sysctls;
  readonly log: EngineEvents['log'];
}

/** What a rule is to have in the table, made from what it had. */
interface Ready {
  readonly rule: KernelRule;
  readonly before: Contents;
  readonly after: Contents;
}

type InTurn = (rule: string, call: () => Promise<void>) => Promise<void>;

const FULL =
  'the kernel engine has 65,535 rules (one with more than 511 origins counts several times), all it can have';
/** limit: rules that are made ready in one go, which takes about 10 ms. */
const MADE_READY = 250;
const NO_POINTS: ReadonlyMap<string, unknown> = new Map();

export class Changes {
  readonly #deps: ChangeDeps;
  /** For looks through conntrack that changes ask for. */
  readonly #throttle: ReturnType<typeof createThrottle>;
  /** UDP listeners with new places, which clients may have sent to before. */
  readonly #newPlaces = new Map<string, Listener>();
  #isClosed = false;

  constructor(deps: ChangeDeps) {
    this.#deps = deps;
    this.#throttle = createThrottle(deps.clock);
  }

  /** `beside`: what another engine of this edge does for the rule until now. */
  async apply(raw: Listener, beside?: Listener): Promise<Applied> {
    const { rules, conntrack, acceleration, uses } = this.#deps;
    const known = rules.byId.get(raw.id);
    const own = known?.isUp && known.listener ? bindPoints(known.listener) : NO_POINTS;
    const served = this.#servable(raw, isInherited(known) ? undefined : [own, beside ? bindPoints(beside) : NO_POINTS]);
    if ('reason' in served) return this.#refuse(raw.id, served.reason);
    const { listener } = served;
    const isMoving = bindPoints(listener)
      .keys()
      .some((key) => !own.has(key));
    const slots = new Map(known?.slots);
    assignSlots(slots, listener.targets);
    const rule = rules.take(listener.id, listener.proxy, pagesFor(slots));
    if (!rule) return { ok: false, reason: FULL };
    rule.slots = slots;
    const settings = settingsOf(listener);
    if (settings.recordOneIn > 0) conntrack.hear(true);
    uses.set(rule, listener);
    const refusal = await this.#change(rule, this.#contentsOf(rule, listener), settings);
    if (refusal !== '') return this.#refuse(rule.id, explainRefusal(refusal));
    if (listener.protocol === 'UDP' && isMoving) {
      this.#newPlaces.set(listener.id, listener);
      this.#throttle(() => this.forgetEarlierFlows());
    }
    Object.assign(rule, { proxy: listener.proxy, listener, isUp: true });
    if (known) this.#judge(rule);
    const notes = [served.note, acceleration.note()].filter((one) => one !== undefined);
    return { ok: true, ...(notes.length > 0 && { note: notes.join('; ') }) };
  }

  /**
   * Writes what the states of their targets are now, those that no other call is about in one transaction. Other changes have
   * their turn while it is made ready; a rule that one of them was about is made ready again. `inTurn`: runs calls about a
   * rule one after the other.
   * order: after each change of states that comes while an earlier one is written.
   */
  async refresh(rules: Iterable<KernelRule>, inTurn: InTurn): Promise<void> {
    const ready: Ready[] = [];
    for (const rule of rules) {
      if (rule.listener) ready.push({ rule, before: rule.contents, after: this.#turned(rule, rule.listener) });
      if (ready.length % MADE_READY === MADE_READY - 1) await this.#deps.clock.sleep(0);
    }
    await Promise.all(ready.map((one) => inTurn(one.rule.id, () => this.#turn(one))));
    this.#deps.acceleration.forget();
  }

  async #turn({ rule, before, after }: Ready): Promise<void> {
    const { rules, table, log } = this.#deps;
    const { id, listener, isUp, settings } = rule;
    if (!listener || !isUp || this.#isClosed || rules.byId.get(id) !== rule) return;
    const contents = before === rule.contents ? after : this.#turned(rule, listener);
    const refusal = await table.change(rule, contents, settings);
    if (refusal !== '') log('error', 'a rule does not follow the states of its origins', { rule: id, reason: refusal });
  }

  /** New connections find the rule no more; those that live drain. */
  async takeDown(id: string): Promise<void> {
    const { rules, conntrack, uses, log } = this.#deps;
    const rule = rules.byId.get(id);
    if (!rule || this.#isClosed) return;
    uses.set(rule, undefined);
    this.#newPlaces.delete(id);
    const flows = this.#throttle(() => conntrack.flows(rule.indices));
    // Not looked at: there may be some.
    rule.flows = flows?.length ?? 1;
    const isEmpty = rule.flows === 0;
    const left = isEmpty ? NO_CONTENTS : drainingContents(rule.contents);
    const refusal = await this.#change(rule, left, isEmpty ? undefined : rule.settings);
    if (refusal !== '') log('error', 'a rule cannot be taken down', { rule: id, reason: refusal });
    rule.isUp = false;
    if (isEmpty && refusal === '' && this.#release(rule)) return;
    this.#judge(rule, flows);
    await this.finish(rule);
  }

  /** Forgets a rule that is down once nothing of it lives, but for what it counted. */
  async finish(rule: KernelRule): Promise<void> {
    if (rule.isUp || rule.flows > 0 || this.#deps.rules.byId.get(rule.id) !== rule) return;
    if ((await this.#change(rule, NO_CONTENTS, undefined)) === '') this.#release(rule);
  }

  /** UDP flows to places of a rule that began before the rule had them: the kernel would go on leading them past it. */
  forgetEarlierFlows(): void {
    if (this.#newPlaces.size > 0) this.#deps.conntrack.forget([...this.#newPlaces.values()]);
    this.#newPlaces.clear();
  }

  /** The engine stops: what is in the table stays there. */
  close(): void {
    this.#isClosed = true;
  }

  /** The listener as far as it can be served, or why it can't be. `ours`: places that it may have; undefined: any. */
  #servable(
    raw: Listener,
    ours: readonly { has(key: string): boolean }[] | undefined,
  ): ReturnType<typeof translatable> {
    const read = readListener(raw);
    if ('reason' in read) return read;
    const part = translatable(read.listener, (entry) => notForwarded([entry], this.#deps.sysctls));
    const conflict = 'reason' in part || !ours ? undefined : portConflict(part.listener, ours);
    return conflict === undefined ? part : { reason: conflict };
  }

  async #refuse(id: string, reason: string): Promise<Applied> {
    await this.takeDown(id);
    return { ok: false, reason };
  }

  #contentsOf(rule: KernelRule, listener: Listener): Contents {
    return contentsOf(listener, placeOf(rule, listener), ({ number }) => this.#deps.states.partOf(number));
  }

  #turned(rule: KernelRule, listener: Listener): Contents {
    const place = placeOf(rule, listener);
    return turned(rule.contents, listener, place, ({ number }) => this.#deps.states.partOf(number));
  }

  #change(rule: KernelRule, contents: Contents, settings: Settings | undefined): Promise<Refusal> {
    const { monitor, accounts, table, acceleration } = this.#deps;
    monitor.changing(rule);
    accounts.countLast(rule, contents);
    return table.change(rule, contents, settings).finally(() => acceleration.forget());
  }

  /** Now if it may, and at the next check: packets that were on their way may have found the rule as it was. */
  #judge(rule: KernelRule, flows = this.#throttle(() => this.#deps.conntrack.flows(rule.indices))): void {
    if (flows) {
      rule.flows = flows.length;
      this.#deps.drains.judge(rule, flows);
    }
    rule.mustJudge = true;
  }

  /** order: an end that waits to be heard needs the rule. False: there may be such. */
  #release(rule: KernelRule): boolean {
    const { monitor, acceleration, rules } = this.#deps;
    if (!monitor.takeEnds()) return false;
    closeAccount(rule.account);
    for (const index of rule.indices) acceleration.release(index);
    rules.release(rule);
    return true;
  }
}

function placeOf({ indices, slots }: KernelRule, listener: Listener): Place {
  return { indices, slots, settings: settingsName(settingsOf(listener)) };
}
