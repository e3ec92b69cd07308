/**
 * Keeps the limits of rules in the kernel, in a table of its own that is there only while something is limited. The agent
 * tells it after each change; it writes what differs, one change after the other, and makes the table anew where somebody
 * has removed or flushed it. Where it can't, rules serve on and `alarms` says in words that their limits are not enforced.
 * It knows no engine.
 */
import { disjoint, type Sorted, sorted } from '../../domain/limit/networks.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Signal } from '../../lib/signal.ts';
import type { Refusal } from '../../linux/nft/nft.ts';
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type { Log } from '../../observe/log.ts';
import { Book, type Difference, type World } from './book.ts';
import { Dropped } from './dropped.ts';
import { isCountedAnew } from './pieces.ts';
import { editionOf, remaining } from './adopt.ts';
import { EDITION_CHAIN, GUARD_NAME, STAND_IN, TABLE, type TableName } from './layout.ts';
import { after, before, type Networks, REMOVE, REMOVE_STAND_IN, reowned, whole } from './script.ts';
import { type GuardTable, openTable } from './table.ts';
import type { Tables } from '../tables/tables.ts';

interface GuardOptions extends World {
  readonly clock: Clock;
  readonly log: Log;
  /** Whose the table in the kernel is. */
  readonly tables: Pick<Tables, 'id' | 'whose' | 'claim' | 'note' | 'keep'>;
  readonly onStop: 'keep' | 'flush';
  /** Told when `alarms` may be different. */
  readonly changed: Signal;
  /** How many sources a meter remembers, where not as many as usual. */
  readonly sources?: number;
}

export interface Guard {
  /**
   * These rules and records may be different; without a word, all. Resolves when they are in force, or an alarm says that
   * they are not; undefined: nothing is limited that could be different.
   */
  update(rules?: Iterable<string>, records?: Iterable<string>): Promise<void> | undefined;
  /** Whether its engine has to wait for that. */
  isLimited(rule: string): boolean;
  /** Its engine serves it as it is wanted, and nowhere else: limits of places that it has left may go. */
  settled(rule: string): void;
  readonly alarms: readonly string[];
  /** Only what limits gave up. */
  counters(): Promise<ReadonlyMap<string, RuleCounters>>;
  /** Writes nothing any more, because another edge takes the table over; `resume`: it does not, and all is written again. */
  rest(): Promise<void>;
  resume(): void;
  /** `how`: where it is not as the guard was made. */
  stop(how?: 'keep' | 'flush'): Promise<void>;
}

const AGAIN_MS = 5_000;
const TEND_MS = 1_000;
const MOST_MS = 2 ** 31 - 1;

export function createGuard({ clock, log, tables, onStop, changed, sources, ...world }: GuardOptions): Guard {
  const book = new Book(world, sources);
  const dropped = new Dropped();
  const edition = editionOf(sources);
  let table: GuardTable | undefined;
  /** `unknown`: not written by this process, or not as it should be. */
  let state: 'unknown' | 'none' | 'there' = 'unknown';
  let alarm: string | undefined;
  let [isDirty, isResting] = [false, false];
  let waiting: (() => void)[] = [];
  let working: Promise<void> | undefined;
  let timer: Timer | undefined;
  let tending: Timer | undefined;

  async function work(): Promise<void> {
    while (isDirty && !isResting) {
      isDirty = false;
      const told = waiting;
      waiting = [];
      timer?.cancel();
      const now = clock.now();
      const why = await round(now).catch((error: unknown) => (error as Error).message);
      if (why !== '') state = 'unknown';
      if (why !== '' && why !== alarm) log.error('limits are not enforced', { reason: why });
      if (why !== (alarm ?? '')) {
        alarm = why === '' ? undefined : why;
        changed.tell();
      }
      const next = book.nextEnd;
      if (why !== '') timer = clock.after(AGAIN_MS, poke);
      else if (next !== undefined) timer = clock.after(Math.min(Math.max(1, next - clock.now() + 1), MOST_MS), poke);
      if (why === '') tables.keep(GUARD_NAME, (id) => book.holds(id));
      for (const resolve of told) resolve();
    }
  }

  async function round(now: number): Promise<Refusal> {
    if (state === 'unknown') book.forget();
    book.end(now);
    return bring(book.take(now), now);
  }

  /** Why it can't be brought there; '': it is. */
  async function bring(difference: Difference, now: number): Promise<Refusal> {
    if (book.isEmpty && state === 'none') return '';
    for (const rule of book.limited()) tables.note(GUARD_NAME, rule);
    if (state === 'there' && !book.isEmpty) {
      if ((await steps(difference)) === '') return '';
      // Somebody may have flushed it: made anew, it is as wanted whatever it was.
      book.forget();
      return bringWhole(book.take(now));
    }
    if (book.isEmpty) return remove();
    if (state === 'unknown' && (await adopt(difference))) return '';
    if (state !== 'unknown') return bringWhole(difference);
    book.forget();
    return bringWhole(book.take(now));
  }

  async function steps(difference: Difference): Promise<Refusal> {
    const [first, last] = [before(difference, await networksOf(difference, clock)), after(difference)];
    const open = (table ??= await openTable());
    const refusal = first && (await open.nft(first));
    if (refusal !== '') return refusal;
    const carry = carrying(open, difference);
    const notLed = open.swap(difference.swap);
    if (notLed === '') carry();
    return notLed || (last && open.nft(last));
  }

  /** What an earlier life has left becomes as it is wanted, and what is in it already goes on counting. False: it is to be made. */
  async function adopt(difference: Difference): Promise<boolean> {
    const { why, isThere, former } = tables.claim(GUARD_NAME);
    if (why !== '' || !isThere) return false;
    const open = (table ??= await openTable());
    const found = open.isWhole() ? open.found() : undefined;
    if (!found?.chains.has(`${EDITION_CHAIN}${edition}`)) return false;
    dropped.adopt(open);
    const refusal =
      (await open.nft(reowned(tables.id, former) + REMOVE_STAND_IN)) || (await steps(remaining(difference, found)));
    if (refusal !== '') return false;
    state = 'there';
    tend();
    return true;
  }

  async function bringWhole(difference: Difference): Promise<Refusal> {
    const { why, isThere } = tables.claim(GUARD_NAME);
    if (why !== '') return why;
    const [networks, open] = [await networksOf(difference, clock), (table ??= await openTable())];
    const make = (name: TableName): Promise<Refusal> =>
      open.nft(whole(difference, networks, { owner: tables.id, edition }, name));
    const standIn = isThere ? await make(STAND_IN) : '';
    const carry = carrying(open, difference);
    const refusal = standIn || (await make(TABLE));
    if (refusal === '') carry();
    const left = refusal || (isThere ? await open.nft(REMOVE_STAND_IN) : '');
    if (left !== '') return left;
    state = 'there';
    dropped.restart();
    return '';
  }

  /** What is open by now is to be in the counts that `difference` makes: to be called when they count. */
  function carrying({ carried }: GuardTable, difference: Difference): () => void {
    const counting = [...book.limited()].filter((rule) => isCountedAnew(rule, difference));
    if (counting.length === 0) return () => {};
    const open = carried.open(counting);
    return () => {
      carried.carry(open);
      tend();
    };
  }

  /** Looks after what has been carried until none of it is left. */
  function tend(): void {
    tending?.cancel();
    if (!table || isResting) return;
    const start = clock.now();
    if (table.carried.tend() === 0) return;
    // limit: a twentieth of the time, whatever has been carried.
    tending = clock.after(Math.max(TEND_MS, 20 * (clock.now() - start)), tend);
  }

  async function remove(): Promise<Refusal> {
    const whose = tables.whose(GUARD_NAME);
    if ((whose === 'ours' || whose === 'abandoned') && tables.claim(GUARD_NAME).isThere)
      await (table ??= await openTable()).nft(REMOVE);
    tables.keep(GUARD_NAME, () => false);
    state = 'none';
    dropped.restart();
    return '';
  }

  function poke(): void {
    isDirty = true;
    if (isResting) return;
    working ??= work().finally(() => {
      working = undefined;
      if (isDirty) poke();
    });
  }

  function told(): Promise<void> {
    const done = Promise.withResolvers<void>();
    if (isResting) done.resolve();
    else waiting.push(done.resolve);
    poke();
    return done.promise;
  }

  return {
    update(rules, records = []) {
      if (rules) return book.note(rules, records) ? told() : undefined;
      book.noteAll();
      return told();
    },
    isLimited: (rule) => book.isLimited(rule),
    settled(rule) {
      if (book.settled(rule)) poke();
    },
    get alarms() {
      return alarm === undefined ? [] : [`limits are not enforced: ${alarm}`];
    },
    async counters() {
      if (table && state === 'there' && !working && !isResting) {
        if (table.isWhole()) dropped.read(table, (rule) => world.rules().has(rule));
        else {
          log.warn('somebody has removed or flushed the table of limits; it is made anew', { table: GUARD_NAME });
          state = 'unknown';
          poke();
        }
      }
      return dropped.byRule();
    },
    async rest() {
      // What is counted from here on the next process counts.
      const isFirst = !isResting;
      isResting = true;
      timer?.cancel();
      tending?.cancel();
      await working;
      if (isFirst && table && state === 'there' && table.isWhole())
        dropped.read(table, (rule) => world.rules().has(rule));
      for (const resolve of waiting.splice(0)) resolve();
    },
    resume() {
      isResting = false;
      state = 'unknown';
      poke();
    },
    async stop(how = onStop) {
      await this.rest();
      if (how === 'flush' && state === 'there') await table?.nft(REMOVE);
      table?.close();
      table = undefined;
    },
  };
}

/** limit: a part at a turn of the event loop; what follows is a tenth of a second for 100,000 networks. */
async function networksOf({ lists }: Difference, clock: Clock): Promise<Networks> {
  const networks = new Map<string, readonly string[]>();
  for (const [parts, sets] of Map.groupBy(lists, ({ parts }) => parts)) {
    const read: Sorted[] = [];
    for (const part of parts) {
      read.push(sorted(part));
      await clock.sleep(0);
    }
    const found = disjoint(read);
    for (const { name, family } of sets) networks.set(name, found[`v${family}`]);
    await clock.sleep(0);
  }
  return networks;
}
