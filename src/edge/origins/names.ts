/**
 * The addresses of origin names, followed as long as a rule uses them: asked again when their TTL ends, kept when DNS
 * fails, or fails for one family (across a restart too, through the file), every change logged. Former addresses of a name
 * are remembered for connections that are open there. It knows no weights and no ports. origins.ts owns one.
 */
import { createBackoff, type Backoff } from '../../lib/backoff.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { createGate } from '../gate.ts';
import type { Rng } from '../../lib/rng.ts';
import { Signal } from '../../lib/signal.ts';
import type { Log } from '../../observe/log.ts';
import type { Family, Lookup } from './lookup.ts';
import type { NameFile } from './name-file.ts';

interface OriginNamesOptions {
  readonly lookup: Lookup;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Answers of an earlier run, used at once and asked again at once; what this one learns is saved there. */
  readonly file?: Pick<NameFile, 'remembered' | 'save'>;
}

interface Followed {
  addresses: readonly string[];
  /** Its answers before, as far as they are no longer in it; the latest is last. */
  former: readonly string[];
  readonly owners: Set<string>;
  readonly backoff: Backoff;
  /** Settles with the first answer or the first failure. */
  readonly first: Promise<void>;
  timer?: Timer;
  failing: boolean;
  /** One family could not be asked for. */
  isHalf: boolean;
}

/** limit: 5 s spares DNS servers from a TTL of 0; 300 s bounds how long a wrong long TTL hurts. */
const TTL_SECONDS = { floor: 5, ceiling: 300 } as const;
const RETRY_MS = { first: 1_000, max: 30_000 } as const;
const AT_ONCE = 32;
/** limit: a name with a thousand addresses says a few at a time; what is open to more than these is drained. */
const MOST_FORMER = 64;
const NO_ADDRESSES: readonly string[] = [];

/** Where the file has former addresses of a name, for connections that outlive an upgrade; no name has a blank. */
const formerKey = (name: string): string => `left ${name}`;
const familyOf = (address: string): Family => (address.includes(':') ? 6 : 4);

export class OriginNames {
  readonly #options: OriginNamesOptions;
  readonly #names = new Map<string, Followed>();
  readonly #uses = new Map<string, readonly string[]>();
  readonly #gate = createGate(AT_ONCE);
  /** Owners of a name whose addresses are other ones. */
  readonly changed = new Signal<ReadonlySet<string>>();

  constructor(options: OriginNamesOptions) {
    this.#options = options;
  }

  /** From now on the owner uses these names and no others; none: it is forgotten. */
  use(owner: string, names: readonly string[]): void {
    for (const name of this.#uses.get(owner) ?? []) if (!names.includes(name)) this.#leave(owner, name);
    for (const name of names) (this.#names.get(name) ?? this.#follow(name)).owners.add(owner);
    if (names.length > 0) this.#uses.set(owner, names);
    else this.#uses.delete(owner);
  }

  /** Empty while the name has never had an address. */
  addresses(name: string): readonly string[] {
    return this.#names.get(name)?.addresses ?? NO_ADDRESSES;
  }

  /** Answers before, no longer in the answer now: nothing new goes there, open connections may stay. */
  former(name: string): readonly string[] {
    return this.#names.get(name)?.former ?? NO_ADDRESSES;
  }

  /** Resolves when each name the owner uses has an address or could not be resolved once, and after `ms` in any case. */
  async answered(owner: string, ms: number): Promise<void> {
    const names = this.#uses.get(owner) ?? [];
    const waiting = names.filter((name) => this.addresses(name).length === 0);
    if (waiting.length === 0) return;
    const enough = new AbortController();
    const firsts = Promise.all(waiting.map(async (name) => this.#names.get(name)?.first));
    await Promise.race([firsts, this.#options.clock.sleep(ms, enough.signal)]);
    enough.abort();
  }

  /** What the next run starts from. */
  remembered(): Record<string, readonly string[]> {
    const lists = [...this.#names].flatMap(([name, { addresses, former }]) => [
      [name, addresses] as const,
      [formerKey(name), former] as const,
    ]);
    return Object.fromEntries(lists.filter(([, addresses]) => addresses.length > 0));
  }

  stop(): void {
    for (const { timer } of this.#names.values()) timer?.cancel();
    this.#names.clear();
    this.#uses.clear();
  }

  #follow(name: string): Followed {
    const { clock, rng, file } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const followed: Followed = {
      addresses: file?.remembered.get(name) ?? NO_ADDRESSES,
      former: file?.remembered.get(formerKey(name)) ?? NO_ADDRESSES,
      owners: new Set(),
      backoff: createBackoff(RETRY_MS.first, RETRY_MS.max, rng),
      first: promise,
      failing: false,
      isHalf: false,
    };
    this.#names.set(name, followed);
    const again = async (): Promise<void> => {
      const wait = await this.#ask(name, followed);
      resolve();
      if (this.#names.get(name) === followed) followed.timer = clock.after(wait, () => void again());
    };
    void again();
    return followed;
  }

  #leave(owner: string, name: string): void {
    const followed = this.#names.get(name);
    followed?.owners.delete(owner);
    if (followed?.owners.size !== 0) return;
    followed.timer?.cancel();
    this.#names.delete(name);
  }

  /** Milliseconds until the name should be asked for again. */
  async #ask(name: string, followed: Followed): Promise<number> {
    const leave = await this.#gate.enter();
    try {
      const { addresses, ttlSeconds, failed = [] } = await this.#options.lookup(name);
      const kept = followed.addresses.filter((address) => failed.includes(familyOf(address)));
      if (addresses.length + kept.length === 0) throw new Error('no addresses');
      this.#learn(name, followed, [...new Set([...addresses, ...kept])].toSorted());
      this.#tellHalf(name, followed, failed, kept);
      if (failed.length > 0) return followed.backoff.next();
      followed.backoff.reset();
      return Math.min(Math.max(ttlSeconds, TTL_SECONDS.floor), TTL_SECONDS.ceiling) * 1_000;
    } catch (error) {
      const facts = { name, reason: (error as Error).message, kept: followed.addresses };
      if (!followed.failing) this.#options.log.warn('an origin name does not resolve', facts);
      followed.failing = true;
      return followed.backoff.next();
    } finally {
      leave();
    }
  }

  #tellHalf(name: string, followed: Followed, failed: readonly Family[], kept: readonly string[]): void {
    const isHalf = failed.length > 0;
    if (isHalf && !followed.isHalf)
      this.#options.log.warn('an origin name could be asked for one family only; of the other nothing changes', {
        name,
        failed: failed.map((family) => `IPv${family}`),
        kept,
      });
    followed.isHalf = isHalf;
  }

  #learn(name: string, followed: Followed, addresses: readonly string[]): void {
    const before = followed.addresses;
    if (followed.failing) this.#options.log.info('an origin name resolves again', { name, addresses });
    followed.failing = false;
    if (before.join() === addresses.join()) return;
    followed.addresses = addresses;
    const former = new Set([...followed.former, ...before]);
    followed.former = [...former].filter((address) => !addresses.includes(address)).slice(-MOST_FORMER);
    this.#options.file?.save(() => this.remembered());
    if (before.length > 0) this.#options.log.info('an origin name has other addresses', { name, before, addresses });
    if (this.#names.get(name) === followed) this.changed.tell(followed.owners);
  }
}
