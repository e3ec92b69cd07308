/**
 * An engine's own thread: makes the engine, runs the calls that come as messages, and sends back answers and events.
 * Started by engine-thread.ts only. A fault in here ends the thread, and nothing else.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../lib/clock.ts';
import type { ConnectionRecord } from '../../domain/fact/fact.ts';
import type { Engine, EngineEvents } from '../engine.ts';
import { callOn } from './forward.ts';
import type { EngineSource, NumberedCall, Report } from './worker-messages.ts';

/** limit: a message costs more than a record, and a tenth of a second is soon enough for a log. */
const RECORDS_EVERY_MS = 100;
const MOST_RECORDS = 256;

const port = parentPort;
if (!port) throw new Error('worker-thread.ts runs as a worker thread');
const { module, factory, options } = workerData as EngineSource;
let records: ConnectionRecord[] = [];

type Factory = (events: EngineEvents, options: unknown) => Promise<Engine>;
const loaded = (await import(module)) as Record<string, Factory>;
const create = loaded[factory];
if (!create) throw new Error(`${module} has no ${factory}`);
const events: EngineEvents = {
  record(record) {
    records.push(record);
    if (records.length >= MOST_RECORDS) flush();
  },
  listener: (id, state) => report({ kind: 'listener', id, state }),
  outcomes: (batch) => report({ kind: 'outcomes', batch }),
  log: (...entry) => report({ kind: 'log', entry }),
};
const engine = await create(events, options);
systemClock.every(RECORDS_EVERY_MS, flush);
port.on('message', ({ number, call }: NumberedCall) => {
  callOn(engine, call).then(
    (value) => answer({ kind: 'answer', number, value }),
    (error: unknown) => answer({ kind: 'answer', number, error: String(error) }),
  );
});
report({ kind: 'ready', capabilities: engine.capabilities() });

/** order: records first, so that a caller that asks for counters has seen the records behind them. */
function answer(answer: Report): void {
  flush();
  report(answer);
}

function flush(): void {
  if (records.length === 0) return;
  report({ kind: 'records', records });
  records = [];
}

function report(message: Report): void {
  port?.postMessage(message);
}
