/**
 * The targets of one rule: which one takes the next connection or session of a client, which are down or rest, which keep
 * those they have. Pure; it refuses to dial. Asked by the rule's connections and UDP sessions.
 */
import type { Listener, Target } from '../engine.ts';
import { isBarred, whyNone } from '../flow/bars.ts';
import { REST_MS } from '../flow/behaviour.ts';
import { originPort } from '../flow/endpoints.ts';
import { createPersistence } from '../flow/persistence.ts';
import { createPicker } from '../flow/pick.ts';
import type { TargetStates } from '../flow/target-states.ts';
import { keepsPlace, leavesAt, NEVER } from '../flow/verdict.ts';
import type { Endpoint } from '../pass-through/pass-through.ts';

export class RuleTargets {
  /** Addresses that their name no longer says. */
  left: ReadonlySet<string> = new Set();
  readonly #monotonic: () => number;
  readonly #states: TargetStates;
  readonly #picker = createPicker();
  readonly #persistence = createPersistence();
  /** Address → until when it rests. */
  readonly #resting = new Map<string, number>();
  #listener: Listener;
  #byAddress = new Map<string, Target>();

  constructor(listener: Listener, states: TargetStates, monotonic: () => number) {
    this.#monotonic = monotonic;
    this.#states = states;
    this.#listener = listener;
    this.update(listener);
  }

  update(listener: Listener): void {
    this.#listener = listener;
    this.#byAddress = new Map(listener.targets.map((target) => [target.address, target]));
    this.left = new Set(listener.targets.flatMap(({ address, left }) => (left ? [address] : [])));
    this.#picker.update(listener.targets);
    this.#persistence.setSeconds(listener.persistSeconds);
    for (const address of this.#resting.keys()) if (!this.#byAddress.has(address)) this.#resting.delete(address);
  }

  /** The port of origins that this entry port leads to; undefined: the rule does not have it. */
  originPort(entryPort: number): number | undefined {
    return originPort(this.#listener.ports, this.#listener.originPorts, entryPort);
  }

  /**
   * The target of a new session of this client, to be dialled at `port`; `tried` have failed, and are out of the question. One
   * that is down or rests is chosen only where there is no other, and so is the tier of one that has failed, if the rule says
   * that the next try is in another.
   */
  choose(client: string, port: number, tried?: ReadonlySet<string>): Target | undefined {
    const own = this.#ownOf(client, port, tried);
    if (own && !this.#isShut(own) && this.#states.take(own.number)) return own;
    const isShut = (target: Target): boolean => this.#isShut(target);
    const isSpent = this.#listener.failover === 'tier' && tried?.size ? this.#inTierOf(tried) : undefined;
    return (
      (isSpent && this.#nextOpen(port, tried, (target) => isSpent(target) || isShut(target))) ??
      this.#nextOpen(port, tried, isShut) ??
      own ??
      (isSpent && this.#picker.next(tried, port, isSpent)) ??
      this.#picker.next(tried, port)
    );
  }

  /** The cause of a connection's end, and the reason for dropping a datagram, where there is none. */
  get whyNone(): ReturnType<typeof whyNone> {
    return whyNone(this.#listener.targets);
  }

  /** The client's target from now on, if the rule has persistence; undefined: its target failed, and it has none. */
  settle(client: string, address: string | undefined): void {
    if (address === undefined) this.#persistence.forget(client);
    else this.#persistence.remember(client, address, this.#monotonic());
  }

  /** The target's host says that no program listens there: for a while it takes new sessions only where no other one can. */
  rest(address: string): void {
    this.#resting.set(address, this.#monotonic() + REST_MS);
  }

  /** Whether a session with this origin moves to another one at its next datagram. */
  isLeft(origin: Endpoint): boolean {
    const number = this.numberOf(origin.address);
    return number !== undefined && this.#states.isLeft(number) && this.hasOther(origin);
  }

  /** When a TCP connection with this origin has to end because the origin is down and another one is up; NEVER: it stays. */
  leavesAt({ address, port }: Endpoint, startedAt: number): number {
    const { options, targets } = this.#listener;
    const target = this.#byAddress.get(address);
    const at = target ? leavesAt(this.#states.downSince(target.number), startedAt, options) : NEVER;
    if (at === NEVER) return NEVER;
    return targets.some((other) => takes(other, port) && this.#states.isUp(other.number)) ? at : NEVER;
  }

  /** The number of the target, for outcomes of dials; undefined: the rule has it no more. */
  numberOf(address: string): number | undefined {
    return this.#byAddress.get(address)?.number;
  }

  /** Whether a target other than this one takes new sessions at this port, and is neither down nor at rest. */
  hasOther(than: Endpoint): boolean {
    return this.#listener.targets.some(
      (target) => target.address !== than.address && this.#takesNew(target, than.port),
    );
  }

  /** Whether a session from this entry port to this origin keeps its place in the rule. Without an origin it still dials. */
  keeps(origin: Endpoint | undefined, entryPort: number, isServed: boolean): boolean {
    const target = origin && this.#byAddress.get(origin.address);
    return keepsPlace(isServed, target, this.originPort(entryPort), origin?.port ?? 0);
  }

  #inTierOf(tried: ReadonlySet<string>): (target: Target) => boolean {
    const tiers = new Set([...tried].map((address) => this.#byAddress.get(address)?.tier));
    return ({ tier }) => tiers.has(tier);
  }

  /** The next that is not shut; one to try counts as open once. */
  #nextOpen(port: number, tried: ReadonlySet<string> | undefined, isShut: (target: Target) => boolean) {
    for (;;) {
      const open = this.#picker.next(tried, port, isShut);
      if (!open || (this.#hasTurn(open, port, tried) && this.#states.take(open.number))) return open;
    }
  }

  /** The target that the client had last, where it may still have it. */
  #ownOf(client: string, port: number, tried?: ReadonlySet<string>): Target | undefined {
    const address = this.#persistence.recall(client, this.#monotonic());
    const kept = address === undefined ? undefined : this.#byAddress.get(address);
    return kept && takes(kept, port) && !tried?.has(kept.address) ? kept : undefined;
  }

  /** One that starts slowly leaves turns to those of its tier that are whole, if there are any. */
  #hasTurn({ number, tier }: Target, port: number, tried?: ReadonlySet<string>): boolean {
    if (this.#states.admits(number)) return true;
    return !this.#listener.targets.some(
      (other) =>
        other.tier === tier &&
        this.#states.isWhole(other.number) &&
        this.#takesNew(other, port) &&
        !tried?.has(other.address),
    );
  }

  #takesNew(target: Target, port: number): boolean {
    return takes(target, port) && !this.#isShut(target);
  }

  #isShut({ number, address }: Target): boolean {
    return this.#states.isShut(number) || this.#rests(address);
  }

  #rests(address: string): boolean {
    const until = this.#resting.get(address);
    if (until === undefined) return false;
    if (until > this.#monotonic()) return true;
    this.#resting.delete(address);
    return false;
  }
}

function takes(target: Target, port: number): boolean {
  return target.weight > 0 && !isBarred(target, port);
}
