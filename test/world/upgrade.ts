/** Upgrades of a real tree: the next generation started beside the running one, and who of them is alive. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { eventually } from '../suites/engine/fixture.ts';
import { spawnCommand } from './command.ts';
import type { Tree } from './places.ts';
import type { World } from './world.ts';

export const CRASHING = join(import.meta.dirname, 'crashing-main.ts');
/** limit: three processes start, on a machine that others use. */
const WITHIN_MS = 120_000;

interface Generation {
  readonly pid: number;
  output(): string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

/** Each generation of a world after its first. Disposing ends those that are alive. */
export class Generations implements AsyncDisposable {
  readonly #world: World<Tree>;
  readonly #readyFile: string;
  readonly #settings: readonly string[];
  #newest: Generation;
  readonly all: Generation[] = [];

  constructor(world: World<Tree>, settings: readonly string[] = []) {
    this.#world = world;
    this.#readyFile = join(dirname(world.folder), 'ready.json');
    this.#settings = settings;
    const { place } = world;
    const { ended, up } = place;
    this.#newest = { pid: up.pid ?? 0, output: () => place.output(), ended, stop: () => place.stop() };
    this.all.push(this.#newest);
  }

  get newest(): Generation {
    return this.#newest;
  }

  /** Resolves when the next one serves. */
  upgrade(): Promise<Generation> {
    return this.#serves(this.#start());
  }

  /** The same, while `victim` is killed so many milliseconds after the moment `how` (crashing-main.ts). */
  bereave(how: string, victim: number, afterMs: number): Promise<Generation> {
    const strike = { EDGEFOUR_TEST_VICTIM: `${victim}`, EDGEFOUR_TEST_AFTER: `${afterMs}` };
    return this.#serves(this.#start(CRASHING, { EDGEFOUR_TEST_CRASH: how, ...strike }));
  }

  async #serves(born: Generation): Promise<Generation> {
    const early = born.ended.then((code) => assert.fail(`it ended with ${code}: ${born.output()}`));
    early.catch(() => {});
    await Promise.race([early, eventually(() => assert.equal(this.readyPid(), born.pid), WITHIN_MS)]);
    this.#newest = born;
    this.all.push(born);
    return born;
  }

  /** One that dies on its way (crashing-main.ts); resolves with its exit code. */
  async crash(how: string): Promise<{ readonly code: number | null; readonly output: string }> {
    const born = this.#start(CRASHING, { EDGEFOUR_TEST_CRASH: how });
    return { code: await born.ended, output: born.output() };
  }

  readyPid(): number {
    return (JSON.parse(readFileSync(this.#readyFile, 'utf8')) as { pid: number }).pid;
  }

  alive(): Generation[] {
    return this.all.filter(({ pid }) => isAlive(pid));
  }

  #start(main?: string, environment = {}): Generation {
    const flags = ['--upgrade', '--ready-file', this.#readyFile, ...this.#settings];
    return generation(spawnCommand(['up', ...this.#world.args, ...flags], environment, main));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.alive()) await one.stop();
  }
}

function generation(child: ChildProcess): Generation {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    pid: child.pid ?? 0,
    output: () => text,
    ended,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
