/**
 * The prober under measurement, a process of its own: the checks, the probes and the states of an edge, with nothing
 * else. It asks for so many checks, waits until all of them have run, measures for so long, and says what it found.
 *
 *   prober.ts {checks, deaf, kind, port, intervalSeconds, timeoutSeconds, seconds} as JSON
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Checker } from '../../src/domain/load-balancer/checker.ts';
import { UNCHECKED } from '../../src/edge/health/check-verdict.ts';
import { Checks } from '../../src/edge/health/checks.ts';
import { OriginHealth } from '../../src/edge/health/origin-health.ts';
import { Others } from '../../src/edge/health/others.ts';
import { probe } from '../../src/edge/health/probe.ts';
import { checkRule } from '../../src/edge/health/schedule.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { egressRule } from '../../src/lib/net/egress.ts';
import { systemRng } from '../../src/lib/rng.ts';
import { addressOf, CHECKS, DEAF, type Kind } from './checks.ts';

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
/** So many checks run before anything is measured. */
const WARM = 200;
/** Origins of a group. */
const GROUP = 20;
let lags: number[] = [];
let verdicts: Record<string, number> = {};
let heard = new Set<number>();

const health = new OriginHealth();
const run = (address: string, checker: Checker) => probe(address, checker, tools);
const checks = new Checks(systemClock, run, new Others('e1', systemClock));
checks.results.listen(({ targets, result }) => {
  for (const target of targets) {
    health.probe(target, result, systemClock.monotonic());
    heard.add(target);
  }
  verdicts[result.verdict] = (verdicts[result.verdict] ?? 0) + 1;
});
checks.probed.listen(({ key, lagMs }) => {
  // Whether those that time out hold others up is the question.
  if (!key.startsWith(DEAF)) lags.push(lagMs);
});

const percent = (microseconds: number, ofMs: number): number => Number((microseconds / 10 / ofMs).toFixed(2));
const bytes = (): number => {
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
};

// As the plan has them, a checker for each group; what is known of each and of its check is measured.
const checkers = Array.from({ length: task.checks / GROUP }, (_, group): Checker =>
  CHECKS[task.kind](task.port, group, task),
);
const origins = Array.from({ length: task.checks }, (_, number) => {
  const checker = checkers[Math.floor(number / GROUP)]!;
  const address = addressOf(number, number < task.deaf);
  const key = `TCP ${address}:${task.port}`;
  const names = { key, origin: key, zone: 'zone-1', host: address, address, group: 'og-1' };
  const check = { owner: 'lb-1', checker };
  return { number, ...names, check, passive: true, slowStartSeconds: 0, rules: new Set(['rule-1']) };
});
// What the first probes of a process cost, no other does.
const first = new Checks(systemClock, run, new Others('e1', systemClock));
for (const origin of origins.slice(-WARM)) first.ask(origin, UNCHECKED);
await sleep(3_000);
first.close();
await sleep(2_000);

const before = bytes();
const asking = process.cpuUsage();
for (const origin of origins) {
  const { number: target, key: name, check } = origin;
  health.use({ target, name, check: checkRule(check.checker) }, systemClock.monotonic());
  checks.ask(origin, UNCHECKED);
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
  cpuPercent: percent(used.user + used.system, ms),
  ofWhichSystem: percent(used.system, ms),
  cpuMicrosecondsPerProbe: Number(((used.user + used.system) / lags.length).toFixed(1)),
  lagMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
  bytesPerCheck: {
    asked: Math.round((bytesAsked - before) / task.checks),
    probed: Math.round((bytesFull - before) / task.checks),
  },
  microsecondsPerAsk: Number(((asked.user + asked.system) / task.checks).toFixed(1)),
});
checks.close();
setTimeout(() => process.disconnect?.(), 2_000).unref();
