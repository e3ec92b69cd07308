/**
 * How long the kernel engine takes to change one rule among many, how long many take to come up and to be taken over, and
 * how much memory they take. The engine alone, in this process and in the network namespace it was started in; what is in
 * force is told by connections from here, which the system leads as it leads those from outside. Prints a line of JSON.
 *
 *   growth-apply.ts ENTRY RULES ORIGINS [TIMES]
 */
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import { createKernelEngine } from '../../src/engines/kernel/engine.ts';
import type { Engine, EngineEvents, Listener } from '../../src/engines/engine.ts';
import { each, originAddresses, others, rule } from './growth-rules.ts';

const [entry = '', count = '1', origins = '1', times = '100'] = process.argv.slice(2);
const ORIGIN_PORT = 9000;
/** limit: every so many changes one is tried with connections, which take longer than what is measured. */
const TRIED_ONE_IN = 10;

const events: EngineEvents = {
  record() {},
  listener() {},
  outcomes() {},
  log: (level, message, facts) =>
    level === 'info' || process.stderr.write(`${level} ${message} ${JSON.stringify(facts ?? {})}\n`),
};
const open = (): Promise<Engine> => createKernelEngine(events, { use: 'by name', onStop: 'keep', owner: 'bench' });
const addresses = originAddresses(Math.max(2, Number(origins)));
const [one = '', two = ''] = addresses;
const servers = await Promise.all([one, two].map(originAt));
const all = others(entry, Number(count) - 1, addresses.slice(0, Number(origins)));

const figures: Record<string, number> = {};
let engine = await open();
const fresh = memory();
figures['upMs'] = await took(() => each(all, apply));
figures['rssMB'] = (memory() - fresh) / 1e6;
for (const [name, run] of Object.entries(changes())) Object.assign(figures, await timed(name, run));
figures['countersMs'] = await took(async () => void (await engine.counters()));
await engine.stop(0);
figures['takeOverMs'] = await took(async () => void (engine = await open()));
figures['applyAgainMs'] = await took(() => each(all, apply));
process.stdout.write(`${JSON.stringify({ rules: Number(count), origins: Number(origins), ...figures })}\n`);
await engine.stop(0);
for (const server of servers) server.close();

/** By name: makes the `i`-th change, of a rule that it has for itself; the promise is what is timed. */
function changes(): Record<string, Change> {
  const at = (port: number, weights: readonly number[], id: string): Listener =>
    rule({ id, entry, port, originPort: ORIGIN_PORT, origins: [one, two], weights });
  const only = (i: number, port = 7001, id = 'origin'): Listener =>
    rule({ id, entry, port, originPort: ORIGIN_PORT, origins: [i % 2 === 0 ? one : two] });
  return {
    origin: { make: (i) => apply(only(i)), to: 7001, expect: (i) => [i % 2 === 0 ? one : two] },
    weights: {
      make: (i) => apply(at(7002, i % 2 === 0 ? [3, 1] : [1, 3], 'weights')),
      to: 7002,
      expect: (i) => (i % 2 === 0 ? [one, one, one, two] : [one, two, two, two]),
    },
    port: { make: (i) => apply(only(0, 7010 + (i % 2), 'port')), to: (i) => 7010 + (i % 2), expect: () => [one] },
    add: {
      make: (i) => apply(only(i, 20_000 + i, `added-${i}`)),
      to: (i) => 20_000 + i,
      expect: (i) => [i % 2 === 0 ? one : two],
    },
    remove: { make: (i) => engine.remove(`added-${i}`), to: (i) => 20_000 + i, expect: () => ['ECONNREFUSED'] },
  };
}

interface Change {
  readonly make: (i: number) => Promise<void>;
  readonly to: number | ((i: number) => number);
  /** The answers of so many connections, in any order. */
  readonly expect: (i: number) => readonly string[];
}

async function timed(name: string, { make, to, expect }: Change): Promise<Record<string, number>> {
  const millis: number[] = [];
  // order: the first is not counted; it makes what is made once.
  for (let i = 0; i <= Number(times); i++) {
    const ms = await took(() => make(i));
    if (i > 0) millis.push(ms);
    if (i % TRIED_ONE_IN !== 0) continue;
    const found: string[] = [];
    for (const _ of expect(i)) found.push(await knock(typeof to === 'number' ? to : to(i)));
    const [is, shouldBe] = [found, expect(i)].map((list) => list.toSorted().join(' '));
    if (is !== shouldBe) throw new Error(`${name} ${i}: found ${is}, expected ${shouldBe}`);
  }
  millis.sort((a, b) => a - b);
  const at = (part: number): number => millis[Math.max(0, Math.ceil(part * millis.length) - 1)] ?? NaN;
  return { [`${name} p50`]: at(0.5), [`${name} p99`]: at(0.99), [`${name} max`]: at(1) };
}

async function apply(listener: Listener): Promise<void> {
  const applied = await engine.apply(listener);
  if (!applied.ok) throw new Error(`${listener.id}: ${applied.reason}`);
}

async function took(run: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await run();
  return performance.now() - begin;
}

function memory(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().rss;
}

/** An origin that says who it is. */
async function originAt(address: string) {
  const server = createServer((socket) => socket.end(address)).listen(ORIGIN_PORT, address);
  await once(server, 'listening');
  return server;
}

/** The origin that answers there, or the error. */
async function knock(port: number): Promise<string> {
  const socket = connect({ host: entry, port });
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => (said += text));
  try {
    await once(socket, 'end');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
  return said;
}
