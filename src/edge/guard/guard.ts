/**
 * Keeps the limits of rules in the kernel, in a table of its own that is there only while something is limited. It is told
 * after each change, and writes what differs, one change after the other; where it can't, rules serve on and `alarms` says
 * in words that their limits are not enforced. It knows no engine. The agent makes one.
 */
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Signal } from '../../lib/signal.ts';
import type { Log } from '../../observe/log.ts';
import type { Tables } from '../tables/tables.ts';
import { Contents, type World } from './contents/contents.ts';
import { GUARD_NAME } from './layout.ts';
import { WrittenTable } from './table/written-table.ts';

interface GuardOptions extends World {
  readonly clock: Clock;
  readonly log: Log;
  /** Whose the table in the kernel is. */
  readonly tables: Pick<Tables, 'id' | 'whose' | 'claim' | 'marks'>;
  readonly onStop: 'keep' | 'flush';
  /** Told when `alarms` may be different. */
  readonly changed: Signal;
  /** How many sources a meter remembers, where not as many as usual. */
  readonly sources?: number;
}

const AGAIN_MS = 5_000;
const MOST_MS = 2 ** 31 - 1;

export class Guard {
  readonly #options: GuardOptions;
  readonly #contents: Contents;
  readonly #table: WrittenTable;
  #alarm = '';
  #isDirty = false;
  #isResting = false;
  /** Callers that wait for the next write. */
  #waiting: (() => void)[] = [];
  #working: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(options: GuardOptions) {
    const { tables, clock, sources } = options;
    this.#options = options;
    this.#contents = new Contents(options, sources);
    this.#table = new WrittenTable({ contents: this.#contents, tables, clock, sources });
  }

  /**
   * These rules and records may be different; without a word, all. Resolves when they are in force, or an alarm says that
   * they are not; undefined: nothing is limited that could be different.
   */
  update(rules?: Iterable<string>, records: Iterable<string> = []): Promise<void> | undefined {
    if (!rules) this.#contents.noteAll();
    else if (!this.#contents.note(rules, records)) return undefined;
    const done = Promise.withResolvers<void>();
    if (this.#isResting) done.resolve();
    else this.#waiting.push(done.resolve);
    this.#poke();
    return done.promise;
  }

  /** Whether its engine has to wait for that. */
  isLimited(rule: string): boolean {
    return this.#contents.isLimited(rule);
  }

  /** Its engine serves it as it is wanted, and nowhere else: limits of its former places may go. */
  settled(rule: string): void {
    if (this.#contents.settled(rule)) this.#poke();
  }

  get alarms(): readonly string[] {
    return this.#alarm === '' ? [] : [`limits are not enforced: ${this.#alarm}`];
  }

  /** Only what limits gave up. */
  async counters(): Promise<ReadonlyMap<string, RuleCounters>> {
    if (this.#table.isThere && !this.#working && !this.#isResting) {
      if (this.#table.isWhole) this.#readDropped();
      else {
        const { log } = this.#options;
        log.warn('somebody has removed or flushed the table of limits; it is made anew', { table: GUARD_NAME });
        this.#table.doubt();
        this.#poke();
      }
    }
    return this.#table.dropped();
  }

  /** Writes nothing any more, because another edge takes the table over. May be called twice. */
  async rest(): Promise<void> {
    const isFirst = !this.#isResting;
    this.#isResting = true;
    this.#timer?.cancel();
    this.#table.rest();
    await this.#working;
    // The next process counts what is dropped from here on.
    if (isFirst && this.#table.isThere && this.#table.isWhole) this.#readDropped();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** The other edge is gone: all is written again. */
  resume(): void {
    this.#isResting = false;
    this.#table.resume();
    this.#poke();
  }

  /** `how`: where it is not as the guard was made. */
  async stop(how: 'keep' | 'flush' = this.#options.onStop): Promise<void> {
    await this.rest();
    await this.#table.close(how);
  }

  #poke(): void {
    this.#isDirty = true;
    if (this.#isResting) return;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      if (this.#isDirty) this.#poke();
    });
  }

  async #work(): Promise<void> {
    while (this.#isDirty && !this.#isResting) {
      this.#isDirty = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      await this.#write();
      for (const resolve of waiting) resolve();
    }
  }

  async #write(): Promise<void> {
    const { clock, log, tables, changed } = this.#options;
    this.#timer?.cancel();
    const why = await this.#table.write(clock.now()).catch((error: unknown) => (error as Error).message);
    if (why !== '') this.#table.doubt();
    if (why !== '' && why !== this.#alarm) log.error('limits are not enforced', { reason: why });
    if (why !== this.#alarm) {
      this.#alarm = why;
      changed.tell();
    }
    const wait = why === '' ? this.#untilNextEnd() : AGAIN_MS;
    if (wait !== undefined) this.#timer = clock.after(wait, () => this.#poke());
    if (why === '') tables.marks.keep(GUARD_NAME, (id) => this.#contents.holds(id));
  }

  /** Milliseconds until a ban ends. */
  #untilNextEnd(): number | undefined {
    const end = this.#contents.nextEnd;
    return end === undefined ? undefined : Math.min(Math.max(1, end - this.#options.clock.now() + 1), MOST_MS);
  }

  #readDropped(): void {
    this.#table.readDropped((rule) => this.#options.rules().has(rule));
  }
}
