/**
 * The targets of one rule in one worker: which one takes the next connection or session, which rest, which are barred.
 * Asked once per connection and session, so it makes no object unless a target is to be passed over. It refuses to dial.
 */
import { parseAddress } from '../../../lib/net/address.ts';
import { isBarred, whyNone } from '../../flow/bars.ts';
import { REST_MS } from '../../flow/behaviour.ts';
import type { RuleSpec, TargetSpec } from './messages.ts';
import { SharedPersistence } from './persistence.ts';
import { nextTurn } from './schedule.ts';

/** A target's number: the same for the same address, in all rules and workers. */
export type TargetNumber = TargetSpec['number'];

export class RuleTargets {
  /** In network order, by position in the rule's list. */
  addresses: readonly Uint8Array[] = [];
  persistence: SharedPersistence | undefined;
  /** The cause of a connection's end, and the reason for dropping a datagram, where no target can be chosen. */
  whyNone: ReturnType<typeof whyNone> = 'no-origin';
  #spec: RuleSpec;
  #positions = new Map<TargetNumber, number>();
  /** Until when a target takes no new UDP session, by position; and the latest of these times. */
  #restUntil = new Float64Array();
  #restsUntil = 0;
  /** Shared by all workers: the place in the schedule. */
  readonly #place: Int32Array;
  /** A target is barred at some of its ports only. */
  #barsPorts = false;

  /** Has no target before the first update(). */
  constructor(spec: RuleSpec) {
    this.#spec = spec;
    this.#place = new Int32Array(spec.position);
  }

  /** The rule's targets from now on; those that rest go on resting. */
  update(spec: RuleSpec): void {
    const { targets } = spec;
    const restOf = (number: TargetNumber): number => this.#restUntil[this.#positions.get(number) ?? -1] ?? 0;
    this.#restUntil = Float64Array.from(targets, ({ number }) => restOf(number));
    this.#spec = spec;
    this.#positions = new Map(targets.map(({ number }, position) => [number, position]));
    this.#barsPorts = targets.some(({ barred }) => barred?.ports);
    this.addresses = targets.map(({ address }) => parseAddress(address) ?? new Uint8Array(4));
    this.persistence = spec.persistence && new SharedPersistence(spec.persistence, spec.persistSeconds);
    this.whyNone = whyNone(targets);
  }

  /**
   * The position of the target for a new connection or session, to be dialled at `port`; −1: there is none. The client's
   * address lies in `memory`. `tried`: targets that have failed this client.
   */
  choose(
    memory: Uint8Array,
    at: number,
    size: number,
    now: number,
    port: number,
    tried?: ReadonlySet<TargetNumber>,
  ): number {
    const { targets, turns } = this.#spec;
    const kept = this.persistence?.recall(memory, at, size, now) ?? -1;
    if (kept >= 0 && !tried?.has(kept)) {
      const position = this.#positions.get(kept);
      if (position !== undefined && this.#takesNew(position, port, now)) return position;
    }
    const someRest = this.#restsUntil > now;
    if (!tried && !this.#barsPorts && !someRest) return nextTurn(turns, this.#place);
    const isTaboo = (one: number): boolean =>
      isBarred(targets[one]!, port) || tried?.has(targets[one]!.number) === true;
    const awake = someRest ? nextTurn(turns, this.#place, (one) => this.#restUntil[one]! > now || isTaboo(one)) : -1;
    return awake >= 0 ? awake : nextTurn(turns, this.#place, isTaboo);
  }

  /** The target's host says that no socket listens there: for a while it takes new sessions only where no other one can. */
  rest(target: TargetNumber, now: number): void {
    const position = this.#positions.get(target);
    if (position !== undefined) this.#restUntil[position] = this.#restsUntil = now + REST_MS;
  }

  /** Whether another target than this one takes new sessions. */
  hasOther(target: TargetNumber, port: number, now: number): boolean {
    const { targets } = this.#spec;
    for (let position = 0; position < targets.length; position++)
      if (targets[position]!.number !== target && this.#takesNew(position, port, now)) return true;
    return false;
  }

  /** Undefined: the rule has it no more. */
  get(target: TargetNumber): TargetSpec | undefined {
    return this.#spec.targets[this.#positions.get(target) ?? -1];
  }

  /** Whether the target's name no longer says its address. */
  hasLeft(target: TargetNumber): boolean {
    return this.get(target)?.left === true;
  }

  #takesNew(position: number, port: number, now: number): boolean {
    const target = this.#spec.targets[position]!;
    return target.weight > 0 && !isBarred(target, port) && this.#restUntil[position]! <= now;
  }
}
