/**
 * The edge's own copy of its world on disk: what it serves from when it starts, with or without control. Two
 * generations are kept; a damaged one costs the revisions after the damage, never a wrong rule. When the disk can't be
 * written the edge goes on without, says so, and tries again. The agent owns one; plan-feed.ts tells it each step.
 */
import { mkdir, rm } from 'node:fs/promises';
import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Rng } from '../../lib/rng.ts';
import type { Signal } from '../../lib/signal.ts';
import { encodeFrame } from '../../link/frames.ts';
import { Replica, type Step } from '../../link/replica.ts';
import type { Log } from '../../observe/log.ts';
import {
  appendLines,
  type Generation,
  listGenerations,
  openTail,
  readGeneration,
  type Recovered,
  type Tail,
  writeGeneration,
} from './generation.ts';
import { guardAgainstEmpty, type NewWorld } from './new-world.ts';

interface LastGoodTools {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** An empty world may replace one with rules. */
  readonly newWorld?: boolean | undefined;
  /** Told when `kept` or `alarms` may be different. */
  readonly changed: Signal;
}

/** limit: a log is as long as three snapshots before it is worth writing a new one, but never worth it under 1 MiB. */
const GROWTH = 3;
const SMALL_BYTES = 1 << 20;
const RETRY_MS = { first: 1_000, max: 60_000 } as const;

export class LastGood {
  readonly replica: Replica;
  readonly #folder: string;
  readonly #tools: LastGoodTools;
  #newest: number;
  /** The file that stays when a new one is written. */
  #sound: Generation | undefined;
  #tail: Tail | undefined;
  #base: number;
  #lines: string[] = [];
  #fresh: boolean;
  #kept: number;
  #history = 0;
  #writing: Promise<void> | undefined;
  #closing = new AbortController();
  /** Aborted while another process writes here. */
  #resting = new AbortController();
  #failing: string | undefined;
  #damage: string | undefined;
  readonly #newWorld: NewWorld;

  private constructor(folder: string, tools: LastGoodTools, replica: Replica, newest: number) {
    this.#folder = folder;
    this.#tools = tools;
    this.replica = replica;
    const { newWorld: isConfirmed = false, log, changed } = tools;
    this.#newWorld = guardAgainstEmpty({ replica, isConfirmed, log, changed });
    this.#newest = newest;
    this.#kept = replica.revision;
    this.#fresh = true;
    this.#base = 0;
  }

  /** Reads what is there. Never rejects: at worst the replica is empty. */
  static async open(folder: string, tools: LastGoodTools): Promise<LastGood> {
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => {});
    const generations = await listGenerations(folder);
    const damages: string[] = [];
    for (const generation of generations) {
      const found = await readGeneration(generation);
      const damage = typeof found === 'string' ? found : found.damage;
      if (damage !== undefined) damages.push(`${generation.path}: ${damage}`);
      if (typeof found === 'string') continue;
      const lastGood = new LastGood(folder, tools, found.replica, generations[0]?.number ?? 0);
      lastGood.#sound = generation;
      await lastGood.#resume(generation, found, damages);
      return lastGood;
    }
    const lastGood = new LastGood(folder, tools, new Replica(), generations[0]?.number ?? 0);
    lastGood.#fresh = false;
    lastGood.#report(damages);
    return lastGood;
  }

  /** The newest revision that a restart without control finds; beyond any while the disk can't be written. */
  get kept(): number {
    return this.#failing === undefined ? this.#kept : Infinity;
  }

  /** For an operator, one line each. */
  get alarms(): readonly string[] {
    return [this.#failing, this.#damage, ...this.#newWorld.alarms].filter((alarm) => alarm !== undefined);
  }

  /** The replica has taken this step; it will be on disk soon (kept says when). */
  note(step: Step): void {
    if (step.kind === 'replaced') this.#fresh = true;
    else if (step.kind === 'changed' && !this.#fresh)
      this.#lines.push(encodeFrame({ kind: 'batch', revision: step.revision, changes: step.changes }));
    if (step.kind === 'replaced' && step.other) this.#otherHistory();
    this.#write();
  }

  /** Resolves when nothing is being written, and nothing will be before `resume`; the replica may go on. */
  async rest(): Promise<void> {
    this.#resting.abort();
    await this.#writing;
  }

  /** Another process may have written meanwhile: what this one has goes into a new file, in front of all others. */
  async resume(): Promise<void> {
    const generations = await listGenerations(this.#folder);
    this.#newest = Math.max(this.#newest, generations[0]?.number ?? 0);
    this.#fresh = this.replica.world !== '';
    this.#resting = new AbortController();
    this.#write();
  }

  /** Resolves when what was noted is on disk, or can't be. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
    await this.#tail?.file.close().catch(() => {});
    this.#tail = undefined;
  }

  async #resume(generation: Generation, found: Recovered, damages: readonly string[]): Promise<void> {
    this.#report(damages);
    this.#base = found.bytes;
    // order: nothing is ever appended behind damage; the state goes into a new file instead.
    if (damages.length === 0) this.#tail = await openTail(generation, found).catch(() => undefined);
    this.#fresh = this.#tail === undefined;
    if (this.#fresh) this.#write();
  }

  /** The file on disk, or the one that is being written, says nothing about this history. */
  #otherHistory(): void {
    this.#history += 1;
    this.#kept = 0;
  }

  #report(damages: readonly string[]): void {
    if (damages.length === 0) return;
    this.#damage = `its copy of the world was damaged and is served from revision ${this.replica.revision}`;
    this.#tools.log.error('the copy of the world on disk is damaged', { damages, from: this.replica.revision });
  }

  #write(): void {
    if (this.#resting.signal.aborted) return;
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  async #drain(): Promise<void> {
    const backoff = createBackoff(RETRY_MS.first, RETRY_MS.max, this.#tools.rng);
    const ending = AbortSignal.any([this.#closing.signal, this.#resting.signal]);
    while ((this.#fresh || this.#lines.length > 0) && !this.#resting.signal.aborted) {
      try {
        if (this.#fresh) await this.#writeFresh();
        else await this.#writeLines();
        if (this.#failing !== undefined) this.#tools.log.info('the copy of the world is written again');
        this.#failing = undefined;
        backoff.reset();
        this.#tools.changed.tell();
      } catch (error) {
        this.#fail((error as Error).message);
        if (ending.aborted) return;
        await this.#tools.clock.sleep(backoff.next(), ending);
      }
    }
  }

  async #writeLines(): Promise<void> {
    const lines = this.#lines;
    const reached = this.replica.revision;
    this.#lines = [];
    const tail = this.#tail;
    if (!tail) throw new Error('there is no file to write to');
    await appendLines(tail, lines);
    await tail.file.datasync();
    this.#kept = reached;
    if (tail.bytes > Math.max(SMALL_BYTES, GROWTH * this.#base)) this.#fresh = true;
  }

  async #writeFresh(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const generation = this.#generation(++this.#newest);
    const reached = this.replica.revision;
    const history = this.#history;
    // order: from here to writeGeneration's copy nothing waits, so that lines noted from now on follow that state.
    this.#fresh = false;
    this.#lines = [];
    const tail = await writeGeneration(generation, this.replica);
    await this.#tail?.file.close().catch(() => {});
    this.#tail = tail;
    this.#base = tail.bytes;
    if (history === this.#history) this.#kept = reached;
    await this.#prune(generation);
    this.#sound = generation;
  }

  /** Keeps the new file and the one whose state it took over. */
  async #prune(generation: Generation): Promise<void> {
    for (const { number, path } of await listGenerations(this.#folder))
      if (number !== generation.number && number !== this.#sound?.number)
        await rm(path, { force: true }).catch(() => {});
  }

  #fail(reason: string): void {
    // A file that took half of something takes nothing more.
    this.#fresh = true;
    if (this.#failing === undefined)
      this.#tools.log.error('the copy of the world cannot be written; the edge goes on without', { reason });
    this.#failing = `its copy of the world cannot be written: ${reason}`;
    this.#tools.changed.tell();
  }

  #generation(number: number): Generation {
    return { number, path: `${this.#folder}/${`${number}`.padStart(10, '0')}.world` };
  }
}
