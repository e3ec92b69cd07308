/**
 * The guard's table as it is written in the kernel, brought to its contents: step by step where it is as this process wrote
 * it, adopted where an earlier process left it, else made whole in one transaction. It decides no limit and tries nothing
 * again. guard.ts owns one and calls it for one change at a time.
 */
import type { RuleCounters } from '../../../domain/fact/fact.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Refusal } from '../../../linux/nft/nft.ts';
import type { Tables } from '../../tables/tables.ts';
import { editionOf, remaining } from './adopt.ts';
import type { Contents } from '../contents/contents.ts';
import type { Difference } from '../contents/difference.ts';
import { Dropped } from './dropped.ts';
import { EDITION_CHAIN, GUARD_NAME, STAND_IN, TABLE, type TableName } from '../layout.ts';
import { networksOf } from './networks.ts';
import { isCountedAnew } from '../contents/pieces.ts';
import { PlaceholderCare } from './placeholder-care.ts';
import { after, before, REMOVE, REMOVE_STAND_IN, reowned, whole } from './script.ts';
import { type KernelTable, openTable } from './kernel-table.ts';

interface WrittenTableOptions {
  readonly contents: Contents;
  /** Whose the table in the kernel is. */
  readonly tables: Pick<Tables, 'id' | 'whose' | 'claim' | 'marks'>;
  readonly clock: Clock;
  /** How many sources a meter remembers, where not as many as usual. */
  readonly sources: number | undefined;
}

export class WrittenTable {
  readonly #options: WrittenTableOptions;
  readonly #edition: string;
  readonly #dropped = new Dropped();
  readonly #care: PlaceholderCare;
  #open: KernelTable | undefined;
  /** `unknown`: not written by this process, or not as it should be. */
  #state: 'unknown' | 'none' | 'there' = 'unknown';

  constructor(options: WrittenTableOptions) {
    this.#options = options;
    this.#edition = editionOf(options.sources);
    this.#care = new PlaceholderCare(options.clock);
  }

  /** Brings it to its contents. Why it can't be brought there; '': it is. Rejects as nft and netlink do. */
  async write(now: number): Promise<Refusal> {
    const { contents, tables } = this.#options;
    if (this.#state === 'unknown') contents.forget();
    contents.end(now);
    const difference = contents.take(now);
    if (contents.isEmpty) return this.#state === 'none' ? '' : this.#remove();
    for (const rule of contents.limited()) tables.marks.note(GUARD_NAME, rule);
    if (this.#state === 'there' && (await this.#change(difference)) === '') return '';
    if (this.#state === 'unknown' && (await this.#adopt(difference))) return '';
    if (this.#state === 'none') return this.#make(difference);
    // Another program may have flushed it, or a part of it is written: made anew, it is as wanted in any case.
    contents.forget();
    return this.#make(contents.take(now));
  }

  /** It may not be as this process wrote it: the next write() finds out. */
  doubt(): void {
    this.#state = 'unknown';
  }

  get isThere(): boolean {
    return this.#state === 'there' && this.#open !== undefined;
  }

  /** Of a table that is there: it has not been removed or flushed by another program. */
  get isWhole(): boolean {
    return this.#open?.isWhole() === true;
  }

  /** Counts by rule what limits gave up; of rules that are not there any more nothing is kept. */
  readDropped(isRule: (rule: string) => boolean): void {
    if (this.#open) this.#dropped.read(this.#open, isRule);
  }

  dropped(): ReadonlyMap<string, RuleCounters> {
    return this.#dropped.byRule();
  }

  /** Another process looks after placeholders. */
  rest(): void {
    this.#care.rest();
  }

  resume(): void {
    this.#care.resume();
    this.doubt();
  }

  /** `flush`: takes it out of the kernel, if it is there. */
  async close(how: 'keep' | 'flush'): Promise<void> {
    if (how === 'flush' && this.#state === 'there') await this.#open?.nft(REMOVE);
    this.#open?.close();
    this.#open = undefined;
  }

  async #kernel(): Promise<KernelTable> {
    return (this.#open ??= await openTable());
  }

  async #change(difference: Difference): Promise<Refusal> {
    const networks = await networksOf(difference.lists, this.#options.clock);
    const first = before(difference, networks);
    const last = after(difference);
    const kernel = await this.#kernel();
    const refusal = first && (await kernel.nft(first));
    if (refusal !== '') return refusal;
    const makePlaceholders = this.#prepare(kernel, difference);
    const notSwapped = kernel.swap(difference.swap);
    if (notSwapped === '') makePlaceholders();
    return notSwapped || (last && kernel.nft(last));
  }

  /** A table that an earlier process has left becomes as it is wanted, and its counts go on. False: it is to be made. */
  async #adopt(difference: Difference): Promise<boolean> {
    const { tables } = this.#options;
    const { why, isThere, former } = tables.claim(GUARD_NAME);
    if (why !== '' || !isThere) return false;
    const kernel = await this.#kernel();
    const found = kernel.isWhole() ? kernel.found() : undefined;
    if (!found?.chains.has(`${EDITION_CHAIN}${this.#edition}`)) return false;
    this.#dropped.adopt(kernel);
    const refusal =
      (await kernel.nft(reowned(tables.id, former) + REMOVE_STAND_IN)) ||
      (await this.#change(remaining(difference, found)));
    if (refusal !== '') return false;
    this.#state = 'there';
    this.#care.tend(kernel.placeholders);
    return true;
  }

  async #make(difference: Difference): Promise<Refusal> {
    const { tables, clock } = this.#options;
    const { why, isThere } = tables.claim(GUARD_NAME);
    if (why !== '') return why;
    const networks = await networksOf(difference.lists, clock);
    const kernel = await this.#kernel();
    const signed = { owner: tables.id, edition: this.#edition };
    const make = (name: TableName): Promise<Refusal> => kernel.nft(whole(difference, networks, signed, name));
    const noStandIn = isThere ? await make(STAND_IN) : '';
    const makePlaceholders = this.#prepare(kernel, difference);
    const refusal = noStandIn || (await make(TABLE));
    if (refusal === '') makePlaceholders();
    const notDone = refusal || (isThere ? await kernel.nft(REMOVE_STAND_IN) : '');
    if (notDone !== '') return notDone;
    this.#state = 'there';
    this.#dropped.restart();
    return '';
  }

  async #remove(): Promise<Refusal> {
    const { tables } = this.#options;
    const whose = tables.whose(GUARD_NAME);
    if ((whose === 'ours' || whose === 'abandoned') && tables.claim(GUARD_NAME).isThere)
      await (await this.#kernel()).nft(REMOVE);
    tables.marks.keep(GUARD_NAME, () => false);
    this.#state = 'none';
    this.#dropped.restart();
    return '';
  }

  #prepare({ placeholders }: KernelTable, difference: Difference): () => void {
    const counted = [...this.#options.contents.limited()].filter((rule) => isCountedAnew(rule, difference));
    return this.#care.prepare(placeholders, counted);
  }
}
