/**
 * An engine on a thread of its own behind the same door: nothing that blocks elsewhere can hold up traffic. A thread
 * that dies is started again with the listeners it had; until then they are reported down. Called by
 * the engines' factories; what the thread runs is worker-thread.ts.
 */
import type { Worker } from 'node:worker_threads';
import { createBackoff } from '../../lib/backoff.ts';
import { systemClock } from '../../lib/clock.ts';
import { startThread } from '../../program/copy.ts';
import { systemRng } from '../../lib/rng.ts';
import type { RuleCounters } from '../../domain/fact/fact.ts';
import type { Applied, Capabilities, Engine, EngineEvents } from '../engine.ts';
import { addCounters } from '../flow/counters.ts';
import { answerWithout, type Call, forwardTo } from './forward.ts';
import { createCalls } from './worker-calls.ts';
import type { EngineSource, NumberedCall, Report } from './worker-messages.ts';

const RESTART_MS = { first: 50, most: 5000 };
/** A thread that lived so long was healthy: the next restart is quick again. */
const HEALTHY_MS = 60_000;
const DOWN: Applied = { ok: false, reason: "the engine's thread stopped; it is being started again" };

type Counts = ReadonlyMap<string, RuleCounters>;

/**
 * `source.options` go to the factory as they are. Rejects where the engine cannot even be made; what it lacks on this host
 * is in its capabilities.
 */
export async function hostEngine(name: string, source: EngineSource, events: EngineEvents): Promise<Engine> {
  const calls = createCalls((id, state) => events.listener(id, state));
  const backoff = createBackoff(RESTART_MS.first, RESTART_MS.most, systemRng);
  /** What threads that are gone had counted, as far as they were asked. */
  let past: Counts = new Map();
  /** What this thread said when it was last asked. */
  let latest: Counts = new Map();
  /** Alive, ready or not. */
  let thread: Worker | undefined;
  let stopped: Promise<void> | undefined;

  const capabilities = await start();

  /** Resolves once the thread takes calls, rejects where it dies before. */
  function start(): Promise<Capabilities> {
    return new Promise((resolve, reject) => {
      const startedAt = systemClock.monotonic();
      const worker = startThread(new URL('worker-thread.ts', import.meta.url), { workerData: source });
      thread = worker;
      let isReady = false;
      let reason = 'it exited';
      worker.on('message', (report: Report) => {
        if (report.kind !== 'ready') return take(report);
        isReady = true;
        resolve(report.capabilities);
        calls.connect((call: NumberedCall) => worker.postMessage(call));
      });
      worker.on('error', (error) => (reason = String(error)));
      worker.on('exit', () => {
        thread = undefined;
        reject(new Error(`the ${name} engine's thread died: ${reason}`));
        if (systemClock.monotonic() - startedAt >= HEALTHY_MS) backoff.reset();
        if (isReady && !stopped) died(reason);
      });
    });
  }

  function died(reason: string): void {
    events.log('error', "an engine's thread died; its connections are lost", { engine: name, reason });
    for (const id of calls.disconnect()) events.listener(id, DOWN);
    past = sum(past, latest, { active: 0 });
    latest = new Map();
    restartLater();
  }

  function restartLater(): void {
    systemClock.after(backoff.next(), () => {
      if (stopped) return;
      start().catch((error: Error) => {
        if (stopped) return;
        events.log('error', 'an engine could not be started again', { engine: name, reason: error.message });
        restartLater();
      });
    });
  }

  function take(report: Exclude<Report, { kind: 'ready' }>): void {
    switch (report.kind) {
      case 'answer':
        return calls.answer(report.number, report.value, report.error);
      case 'records':
        for (const record of report.records) events.record(record);
        return;
      case 'listener':
        return events.listener(report.id, report.state);
      case 'log':
        return events.log(...report.entry);
    }
  }

  function afterStop(call: Call): unknown {
    return call.method === 'counters' ? latest : answerWithout(call, 'the engine is stopped');
  }

  async function stop(last: Call): Promise<void> {
    const worker = thread;
    if (worker) {
      // A thread that dies meanwhile answers nothing, and is not started again.
      const died = new Promise((resolve) => worker.once('exit', resolve));
      await Promise.race([stopped(), died]);
      await worker.terminate();
    }
    calls.end(afterStop);

    async function stopped(): Promise<void> {
      await calls.post(last);
      latest = (await calls.post({ method: 'counters', args: [] })) as Counts;
    }
  }

  async function send(call: Call): Promise<unknown> {
    if (call.method === 'stop') return (stopped ??= stop(call));
    const answer = await calls.post(call);
    if (call.method !== 'counters') return answer;
    latest = answer as Counts;
    return sum(past, latest);
  }

  return forwardTo(name, () => capabilities, send);
}

function sum(past: Counts, present: Counts, change: Partial<RuleCounters> = {}): Counts {
  const both = new Map(past);
  for (const [id, counters] of present) {
    const before = past.get(id);
    both.set(id, { ...(before ? addCounters(before, counters) : counters), ...change });
  }
  return both;
}
