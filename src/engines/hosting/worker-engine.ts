/**
 * An engine on a thread of its own behind the same door: nothing that blocks elsewhere can hold up traffic. A thread
 * that dies is started again with the listeners it had; until then they are reported down. Called by the registry and by
 * the kernel engine's factory.
 */
import { createBackoff } from '../../lib/backoff.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRng } from '../../lib/rng.ts';
import type { Applied, Capabilities, Engine, EngineEvents } from '../engine.ts';
import { type EngineThread, type News, startEngineThread } from './engine-thread.ts';
import { answerWithout, type Call, forwardTo } from './forward.ts';
import { type Counts, ThreadCounters } from './thread-counters.ts';
import { WorkerCalls } from './worker-calls.ts';
import type { EngineSource } from './worker-messages.ts';

const RESTART_MS = { first: 50, most: 5000 };
/** A thread that lived so long was healthy: the next restart is quick again. */
const HEALTHY_MS = 60_000;
const DOWN: Applied = { ok: false, reason: "the engine's thread stopped; it is being started again" };

/**
 * `source.options` go to the factory as they are. Rejects where the engine cannot even be made; what it lacks on this host
 * is in its capabilities.
 */
export async function hostEngine(name: string, source: EngineSource, events: EngineEvents): Promise<Engine> {
  const host = new EngineHost(name, source, events);
  const capabilities = await host.start();
  return forwardTo(
    name,
    () => capabilities,
    (call) => host.send(call),
  );
}

class EngineHost {
  readonly #name: string;
  readonly #source: EngineSource;
  readonly #events: EngineEvents;
  readonly #calls: WorkerCalls;
  readonly #counters = new ThreadCounters();
  readonly #backoff = createBackoff(RESTART_MS.first, RESTART_MS.most, systemRng);
  /** Alive, ready or not. */
  #thread: EngineThread | undefined;
  #stopped: Promise<void> | undefined;

  constructor(name: string, source: EngineSource, events: EngineEvents) {
    this.#name = name;
    this.#source = source;
    this.#events = events;
    this.#calls = new WorkerCalls((id, state) => events.listener(id, state));
  }

  /** Resolves once the thread takes calls, rejects where it dies before. */
  async start(): Promise<Capabilities> {
    const startedAt = systemClock.monotonic();
    const thread = startEngineThread(this.#source, (news) => this.#hear(news));
    this.#thread = thread;
    void thread.ended.then(() => {
      this.#thread = undefined;
      if (systemClock.monotonic() - startedAt >= HEALTHY_MS) this.#backoff.reset();
    });
    const ready = await Promise.race([thread.ready, thread.ended]);
    if (typeof ready === 'string') throw new Error(`the ${this.#name} engine's thread died: ${ready}`);
    this.#calls.connect((call) => thread.send(call));
    void thread.ended.then((reason) => this.#died(reason));
    return ready;
  }

  async send(call: Call): Promise<unknown> {
    if (call.method === 'stop') return (this.#stopped ??= this.#stop(call));
    const answer = await this.#calls.post(call);
    if (call.method !== 'counters') return answer;
    this.#note(answer);
    return this.#counters.all();
  }

  #hear(news: News): void {
    switch (news.kind) {
      case 'answer':
        return this.#calls.answer(news.number, news.value, news.error);
      case 'records':
        for (const record of news.records) this.#events.record(record);
        return;
      case 'listener':
        return this.#events.listener(news.id, news.state);
      case 'outcomes':
        return this.#events.outcomes(news.batch);
      case 'log':
        return this.#events.log(...news.entry);
    }
  }

  #died(reason: string): void {
    if (this.#stopped) return;
    this.#events.log('error', "an engine's thread died; its connections are lost", { engine: this.#name, reason });
    for (const id of this.#calls.disconnect()) this.#events.listener(id, DOWN);
    this.#counters.close();
    this.#restartLater();
  }

  #restartLater(): void {
    systemClock.after(this.#backoff.next(), () => {
      if (this.#stopped) return;
      this.start().catch((error: Error) => {
        if (this.#stopped) return;
        const facts = { engine: this.#name, reason: error.message };
        this.#events.log('error', 'an engine could not be started again', facts);
        this.#restartLater();
      });
    });
  }

  async #stop(call: Call): Promise<void> {
    const thread = this.#thread;
    if (thread) {
      // A thread that dies meanwhile answers nothing, and is not started again.
      await Promise.race([this.#lastCalls(call), thread.ended]);
      await thread.terminate();
    }
    this.#calls.end((late) => (late.method === 'counters' ? undefined : answerWithout(late, 'the engine is stopped')));
  }

  async #lastCalls(stop: Call): Promise<void> {
    await this.#calls.post(stop);
    this.#note(await this.#calls.post({ method: 'counters', args: [] }));
  }

  /** undefined: no thread was left to say. */
  #note(counts: unknown): void {
    if (counts !== undefined) this.#counters.note(counts as Counts);
  }
}
