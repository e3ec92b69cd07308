/**
 * Trials of origins that die while clients come at a steady pace, on a whole edge in a namespace: a rule with three origins,
 * each a process of its own, without checks. Run reduced by dying-origins.root.ts, whole by test/load/dying-origins.ts.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespaces } from '../engines/kernel-namespaces.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { controlEnd } from './control-end.ts';
import { PLACE, proxy, rule } from './edges.ts';
import { spawnEdge } from './spawned-edge.ts';

const PATIENCE_MS = 60_000;
const ORIGIN_PORT = 7_000;
const PORT = 700;

/** A client, by when it began and how long it waited for its answer, in milliseconds. */
interface Served {
  readonly at: number;
  readonly took: number;
  /** Who answered; undefined: it saw a failure. */
  readonly by: string | undefined;
}

interface Pace {
  readonly perSecond: number;
  readonly seconds: number;
}

/** Sends its address to each client, and FIN. */
const ORIGIN = `
  const [, address, port] = process.argv;
  require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.end(address);
  }).listen(port, address, 1024, () => console.log('listening'));`;

class Trial implements AsyncDisposable {
  readonly origins: readonly string[];
  readonly #entry: string;
  readonly #ending: AsyncDisposableStack;
  readonly #processes: ReadonlyMap<string, ChildProcess>;

  private constructor(entry: string, processes: ReadonlyMap<string, ChildProcess>, ending: AsyncDisposableStack) {
    this.origins = [...processes.keys()];
    this.#entry = entry;
    this.#processes = processes;
    this.#ending = ending;
  }

  /** All three origins have clients when it resolves. */
  static async open(world: Namespaces, engine: string, options: object = {}): Promise<Trial> {
    await using ending = new AsyncDisposableStack();
    const control = ending.use(await controlEnd());
    const edge = spawnEdge(world, control, engine);
    ending.defer(() => end(edge, 'SIGTERM'));
    const processes = new Map<string, ChildProcess>();
    for (let i = 0; i < 3; i++) {
      const address = world.address();
      const child = spawn(process.execPath, ['-e', ORIGIN, address, `${ORIGIN_PORT}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      ending.defer(() => end(child, 'SIGKILL'));
      processes.set(address, child);
      await once(child.stdout, 'data');
    }
    const entry = world.entry();
    const to = { originValue: [...processes.keys()], options };
    const instance = proxy('a', entry, [rule('dying', PORT, '', ORIGIN_PORT, to)]);
    const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': instance });
    await eventually(() => assert.equal(control.acks.applied('overseas'), revision), PATIENCE_MS);
    assert.deepEqual(control.acks.failures('dying'), []);
    const trial = new Trial(entry, processes, ending.move());
    const first = await trial.clients({ perSecond: 30, seconds: 1 });
    assert.deepEqual(new Set(first.map(({ by }) => by)), new Set(processes.keys()));
    return trial;
  }

  /** Until all have an answer; times count from the first on. Those that come late are made up for. */
  async clients({ perSecond, seconds }: Pace): Promise<Served[]> {
    const began = performance.now();
    const all: Promise<Served>[] = [];
    for (let now = 0; now < seconds * 1_000; now = performance.now() - began) {
      while (all.length < (now * perSecond) / 1_000) all.push(this.#client(began));
      await sleep(2);
    }
    return Promise.all(all);
  }

  /** As kill -9 does; nobody is with it just then, and its port is closed when it resolves. */
  async kill(origin: string): Promise<void> {
    const child = this.#processes.get(origin);
    assert.ok(child);
    await end(child, 'SIGKILL');
  }

  /** Packets to it are dropped from now on. */
  drop(origin: string): void {
    const text = `table inet dying { chain in { type filter hook input priority 0; ip daddr ${origin} drop; }; }`;
    execFileSync('nft', [text]);
    this.#ending.defer(() => void execFileSync('nft', ['delete table inet dying']));
  }

  #client(began: number): Promise<Served> {
    const at = performance.now() - began;
    return new Promise((resolve) => {
      let answer = '';
      let isWhole = false;
      const socket = connect({ host: this.#entry, port: PORT });
      socket
        .setEncoding('latin1')
        .on('data', (part: string) => (answer += part))
        .on('end', () => (isWhole = true))
        .on('error', () => {})
        .setTimeout(PATIENCE_MS, () => socket.destroy())
        .on('close', () =>
          resolve({ at, took: performance.now() - began - at, by: isWhole && answer !== '' ? answer : undefined }),
        );
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#ending.disposeAsync();
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** One of three is killed: when the clients began that saw a failure, in milliseconds since, and how many clients there were. */
export async function killOne(world: Namespaces, engine: string, pace: Pace) {
  await using trial = await Trial.open(world, engine);
  const [gone = ''] = trial.origins;
  await trial.clients({ ...pace, seconds: 1 });
  await trial.kill(gone);
  const clients = await trial.clients(pace);
  return { all: clients.length, failed: clients.filter(({ by }) => by === undefined).map(({ at }) => Math.round(at)) };
}

/**
 * Packets to one of three are dropped: when the clients began that waited longer than the time to connect, and how many there
 * were.
 */
export async function dropOne(world: Namespaces, engine: string, pace: Pace, connectTimeoutMs = 1_000) {
  await using trial = await Trial.open(world, engine, { connectTimeoutMs });
  const [gone = ''] = trial.origins;
  trial.drop(gone);
  const clients = await trial.clients(pace);
  const late = clients.filter(({ took, by }) => took >= connectTimeoutMs || by === undefined);
  return { all: clients.length, slow: late.map(({ at }) => Math.round(at)) };
}
