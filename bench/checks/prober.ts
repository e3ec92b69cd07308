/**
 * The prober under measurement, a process of its own: the schedule, the probes and the states of an edge, with nothing
 * else. It asks for so many checks, waits until all of them have run, measures for so long, and says what it found.
 *
 *   prober.ts {checks, deaf, kind, port, intervalSeconds, timeoutSeconds, seconds} as JSON
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Checker } from '../../src/domain/load-balancer/checker.ts';
import { OriginHealth } from '../../src/edge/health/origin-health.ts';
import { probe } from '../../src/edge/health/probe.ts';
import { checkRule, ProbeSchedule } from '../../src/edge/health/schedule.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { egressRule } from '../../src/lib/net/egress.ts';
import { systemRng } from '../../src/lib/rng.ts';
import { addressOf, CHECKS, type Kind } from './checks.ts';

interface Task {
  readonly checks: number;
  /** So many of them are asked of addresses that drop packets. */
  readonly deaf: number;
  readonly kind: Kind;
  readonly port: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly seconds: number;
}

const task = JSON.parse(process.argv[2] ?? '') as Task;
const tools = {
  clock: systemClock,
  rng: systemRng,
  egress: egressRule([]),
  lookup: () => Promise.reject(new Error('no names here')),
};
let lags: number[] = [];
let verdicts: Record<string, number> = {};
let heard = new Set<number>();

const health = new OriginHealth();
const schedule = new ProbeSchedule(systemClock, (address, checker) => probe(address, checker, tools));
schedule.results.listen(({ key, result, lagMs }) => {
  const target = Number(key);
  health.probe(target, result, systemClock.monotonic());
  heard.add(target);
  // Whether those that time out hold others up is the question.
  if (target >= task.deaf) lags.push(lagMs);
  verdicts[result.verdict] = (verdicts[result.verdict] ?? 0) + 1;
});

const bytes = (): number => {
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
};

const before = bytes();
const asking = process.cpuUsage();
for (let target = 0; target < task.checks; target++) {
  const checker: Checker = CHECKS[task.kind](task.port, target, task);
  const address = addressOf(target, target < task.deaf);
  health.use({ target, name: `TCP ${address}:${task.port}`, check: checkRule(checker) }, systemClock.monotonic());
  schedule.ask(`${target}`, address, checker);
}
const asked = process.cpuUsage(asking);
const bytesAsked = bytes();
while (heard.size < task.checks) await sleep(100);
// Until all are at their own phase.
await sleep(task.intervalSeconds * 1_000);
const bytesFull = bytes();

lags = [];
verdicts = {};
heard = new Set();
const start = systemClock.monotonic();
const cpu = process.cpuUsage();
process.send?.('measuring');
await sleep(task.seconds * 1_000);
const used = process.cpuUsage(cpu);
const ms = systemClock.monotonic() - start;
const sorted = lags.toSorted((a, b) => a - b);
const at = (share: number): number => Number((sorted[Math.floor((sorted.length - 1) * share)] ?? NaN).toFixed(1));
process.send?.({
  probes: lags.length,
  verdicts,
  cpuPercent: Number(((used.user + used.system) / 10 / ms).toFixed(2)),
  cpuMicrosecondsPerProbe: Number(((used.user + used.system) / lags.length).toFixed(1)),
  lagMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
  bytesPerCheck: {
    asked: Math.round((bytesAsked - before) / task.checks),
    probed: Math.round((bytesFull - before) / task.checks),
  },
  microsecondsPerAsk: Number(((asked.user + asked.system) / task.checks).toFixed(1)),
});
schedule.close();
setTimeout(() => process.disconnect?.(), 2_000).unref();
