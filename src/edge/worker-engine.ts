/**
 * An engine on a thread of its own behind the same door: nothing that blocks elsewhere can hold up traffic. A thread
 * that dies is started again with the listeners it had; until then they are reported down. The agent calls
 * `createWorkerEngine`; what the thread runs is worker-thread.ts.
 */
import { Worker } from 'node:worker_threads';
import { createBackoff } from '../lib/backoff.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRng } from '../lib/rng.ts';
import type { RuleCounters } from '../link/facts.ts';
import type { Applied, Capabilities, Engine, EngineEvents, EngineName, Listener } from './engine.ts';
import { addCounters } from './flow/counters.ts';
import type { Call, EngineSource, NumberedCall, Report } from './worker-messages.ts';

/** Where each engine's factory is: an engine is a folder and a line here. */
const SOURCES: Partial<Record<EngineName, EngineSource>> = {
  node: { module: new URL('engines/node/engine.ts', import.meta.url).href, factory: 'createNodeEngine' },
};

const RESTART_MS = { first: 50, most: 5000 };
/** A thread that lived so long was healthy: the next restart is quick again. */
const HEALTHY_MS = 60_000;
const DOWN: Applied = { ok: false, reason: "the engine's thread stopped; it is being started again" };

const STOPPED: Applied = { ok: false, reason: 'the engine is stopped' };

/** Rejects where the engine cannot even be made; what it lacks on this host is in its capabilities. */
export function createWorkerEngine(name: EngineName, events: EngineEvents): Promise<Engine> {
  const source = SOURCES[name];
  if (!source) return Promise.reject(new Error(`there is no ${name} engine`));
  return hostEngine(name, source, events);
}

interface Pending {
  readonly call: Call;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export async function hostEngine(name: EngineName, source: EngineSource, events: EngineEvents): Promise<Engine> {
  const wanted = new Map<string, Listener>();
  const pending = new Map<number, Pending>();
  const backoff = createBackoff(RESTART_MS.first, RESTART_MS.most, systemRng);
  /** What threads that are gone had counted, as far as they were asked. */
  let past = new Map<string, RuleCounters>();
  let latest: ReadonlyMap<string, RuleCounters> = new Map();
  let numbers = 0;
  /** Undefined while there is none that can take calls. */
  let thread: Worker | undefined;
  /** The one that was started last, ready or not. */
  let last: Worker | undefined;
  let isStopping = false;

  const capabilities = await start();

  /** Resolves once the thread takes calls, rejects where it dies before. */
  function start(): Promise<Capabilities> {
    return new Promise((resolve, reject) => {
      const startedAt = systemClock.monotonic();
      const worker = new Worker(new URL('worker-thread.ts', import.meta.url), { workerData: source });
      last = worker;
      let reason = 'it exited';
      worker.on('message', (report: Report) => {
        if (report.kind !== 'ready') return take(report);
        thread = worker;
        resolve(report.capabilities);
      });
      worker.on('error', (error) => (reason = String(error)));
      worker.on('exit', () => {
        reject(new Error(`the ${name} engine's thread died: ${reason}`));
        if (thread !== worker) return;
        thread = undefined;
        if (isStopping) return giveUp();
        if (systemClock.monotonic() - startedAt >= HEALTHY_MS) backoff.reset();
        events.log('error', "an engine's thread died; its connections are lost", { engine: name, reason });
        for (const id of wanted.keys()) events.listener(id, DOWN);
        past = new Map([...past, ...sumUp(past, latest)]);
        latest = new Map();
        restartLater();
      });
    });
  }

  function restartLater(): void {
    systemClock.after(backoff.next(), () => {
      if (isStopping) return giveUp();
      start().then(takeUp, (error: Error) => {
        if (isStopping) return giveUp();
        events.log('error', 'an engine could not be started again', { engine: name, reason: error.message });
        restartLater();
      });
    });
  }

  /** A new thread knows nothing: it gets the listeners, then the calls that were never answered. */
  function takeUp(): void {
    const unanswered = [...pending];
    for (const [id, listener] of wanted) {
      post({ method: 'apply', listener }).then(
        (applied) => events.listener(id, applied as Applied),
        (error: Error) => events.listener(id, { ok: false, reason: error.message }),
      );
    }
    for (const [number, { call }] of unanswered) send(number, call);
  }

  /** Whatever is still asked of an engine that has stopped is answered here. */
  function giveUp(): void {
    for (const { call, ...waiting } of pending.values()) waiting.resolve(afterStop(call));
    pending.clear();
  }

  function afterStop(call: Call): unknown {
    if (call.method === 'apply') return STOPPED;
    return call.method === 'counters' ? latest : undefined;
  }

  function post(call: Call): Promise<unknown> {
    if (isStopping && call.method !== 'stop') return Promise.resolve(afterStop(call));
    return new Promise((resolve, reject) => {
      const number = ++numbers;
      pending.set(number, { call, resolve, reject });
      send(number, call);
    });
  }

  function send(number: number, call: Call): void {
    thread?.postMessage({ number, call } satisfies NumberedCall);
  }

  function take(report: Exclude<Report, { kind: 'ready' }>): void {
    switch (report.kind) {
      case 'answer': {
        const waiting = pending.get(report.number);
        pending.delete(report.number);
        if (report.error === undefined) waiting?.resolve(report.value);
        else waiting?.reject(new Error(report.error));
        break;
      }
      case 'records':
        for (const record of report.records) events.record(record);
        break;
      case 'listener':
        events.listener(report.id, report.state);
        break;
      case 'log':
        events.log(...report.entry);
        break;
    }
  }

  async function stop(drainMs: number): Promise<void> {
    if (!isStopping) {
      isStopping = true;
      await (thread ? post({ method: 'stop', drainMs }) : giveUp());
    }
    await last?.terminate();
  }

  return {
    name,
    capabilities: () => capabilities,
    apply(listener) {
      wanted.set(listener.id, listener);
      return post({ method: 'apply', listener }) as Promise<Applied>;
    },
    async remove(id) {
      wanted.delete(id);
      await post({ method: 'remove', id });
    },
    async prune(keep) {
      for (const id of wanted.keys()) if (!keep.has(id)) wanted.delete(id);
      await post({ method: 'prune', keep });
    },
    async counters() {
      latest = (await post({ method: 'counters' })) as ReadonlyMap<string, RuleCounters>;
      return new Map([...past, ...sumUp(past, latest)]);
    },
    stop,
  };
}

function sumUp(past: ReadonlyMap<string, RuleCounters>, present: ReadonlyMap<string, RuleCounters>) {
  return [...present].map(([id, counters]) => {
    const before = past.get(id);
    return [id, before ? addCounters(before, counters) : counters] as const;
  });
}
