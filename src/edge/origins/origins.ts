/**
 * Where connections of a rule may go: the one door over names, look-ups, policy and loops. A rule is used, asked for its
 * targets, and asked again when `changed` says so. It applies nothing. The agent makes one; the reconciler asks it.
 */
import type { Protocol } from '../../domain/l4-rule/modes.ts';
import type { Clock } from '../../lib/clock.ts';
import { type EgressRule, egressRule } from '../../lib/net/egress.ts';
import type { Rng } from '../../lib/rng.ts';
import { Signal } from '../../lib/signal.ts';
import type { Log } from '../../observe/log.ts';
import type { PlannedOrigin, PlannedRule } from '../../plan/plan.ts';
import type { Target } from '../../engines/engine.ts';
import { barTargets } from './bars.ts';
import { followLocalAddresses, type LocalAddresses } from './local-addresses.ts';
import { createSystemLookup, type Lookup } from './lookup.ts';
import { type Listening, Loops } from './loops.ts';
import { openNameFile } from './name-file.ts';
import { OriginNames } from './names.ts';
import { TargetNumbers } from './numbers.ts';
import { Pools } from './pools.ts';
import { originNames, targetsOf } from './targets.ts';

interface Destinations {
  readonly targets: readonly Target[];
  /** Names without an address so far. */
  readonly unresolved: readonly string[];
  /** Targets that are not dialled, and why, for an operator. */
  readonly notes: readonly string[];
  /** None may be dialled; absent: some may, or there are none. */
  readonly refusal?: string;
}

interface OriginsTools {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly lookup?: Lookup | undefined;
}

/** How what is not a rule's connection may dial origins and what they lead to: as rules do. */
interface Dialling {
  readonly egress: EgressRule;
  readonly lookup: Lookup;
  /** Whether a listener of this edge answers there. */
  readonly isOwn: (protocol: Protocol, address: string, port: number) => boolean;
}

/** How long a new rule waits for the first answer to its origin's name. */
const NAME_MS = 1_000;

/** `path`: of the file that keeps answers for a restart. `deny`: networks that are not dialled (lib/net/egress.ts). */
export async function openOrigins(path: string, deny: readonly string[], tools: OriginsTools): Promise<Origins> {
  const { clock, rng, log, lookup = createSystemLookup() } = tools;
  const file = await openNameFile(path, clock, log);
  const names = new OriginNames({ lookup, clock, rng, log, file });
  return new Origins({
    names,
    file,
    dialling: { egress: egressRule(deny), lookup },
    local: followLocalAddresses(clock),
  });
}

interface OriginsParts {
  readonly names: OriginNames;
  /** Absent: nothing is kept for a restart. */
  readonly file?: { close(): Promise<void> };
  readonly dialling: Omit<Dialling, 'isOwn'>;
  readonly local: LocalAddresses;
}

export class Origins {
  readonly #parts: OriginsParts;
  readonly #loops: Loops;
  /** Rules whose targets may be other ones. */
  readonly changed = new Signal<Iterable<string>>();
  /** By which engines know origins. */
  readonly numbers = new TargetNumbers();
  /** Origins that are checked though no rule may lead there. */
  readonly pools: Pools;
  readonly dialling: Dialling;

  constructor(parts: OriginsParts) {
    const { names, local, dialling } = parts;
    this.#parts = parts;
    this.dialling = { ...dialling, isOwn: (...place) => this.#loops.isListener(...place) };
    this.pools = new Pools(names);
    this.#loops = new Loops((address) => local.has(address));
    names.changed.listen((rules) => this.changed.tell(rules));
    local.changed.listen(() => this.changed.tell(this.#loops.localChanged()));
  }

  /** From now on these are the rule's origins, whose names are followed. None: the rule is forgotten. May be called twice. */
  use(rule: string, origins: readonly PlannedOrigin[]): void {
    this.#parts.names.use(rule, originNames(origins));
    if (origins.length > 0) return;
    this.#loops.leads(rule, undefined);
    this.numbers.release(rule);
  }

  /**
   * The rule's targets as they are now; waits a second for a name that has not been answered yet. Never rejects. `whole`:
   * its engine can't tell the ports of a target apart.
   */
  async targets(rule: PlannedRule, whole: boolean): Promise<Destinations> {
    const { names } = this.#parts;
    await names.answered(rule.id, NAME_MS);
    const { origins, ...rest } = rule;
    const { targets: found, missing: unresolved } = targetsOf(origins, names);
    const listener = { ...rest, targets: this.numbers.give(rule, found) };
    // order: first noted, then barred, so that a listener that comes meanwhile has this rule asked for again.
    this.#loops.leads(rule.id, listener);
    const { targets, notes } = barTargets(listener, this.dialling.egress, this.#loops, whole);
    const isRefused = notes.length > 0 && targets.every(({ weight }) => weight === 0);
    return { targets, unresolved, notes, ...(isRefused && { refusal: notes.join('; ') }) };
  }

  /** The rule listens there (undefined: nowhere), so that no rule of this edge may lead there. */
  listens(rule: string, where: Listening | undefined): void {
    this.changed.tell(this.#loops.listens(rule, where));
  }

  /** Asks nothing any more; answers are on disk when it resolves. May be called twice. */
  async close(): Promise<void> {
    const { local, file, names } = this.#parts;
    local.stop();
    // order: the file saves what the names know, and they forget it when they stop.
    await file?.close();
    names.stop();
  }
}
