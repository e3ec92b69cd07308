/**
 * One life of an engine's thread, seen from outside: started, spoken to, and ended. All that it says, but that it is ready,
 * goes to `hear`. worker-engine.ts starts one after the other; what runs inside is worker-thread.ts.
 */
import { startThread } from '../../program/copy.ts';
import type { Capabilities } from '../engine.ts';
import type { EngineSource, NumberedCall, Report } from './worker-messages.ts';

export type News = Exclude<Report, { kind: 'ready' }>;

export interface EngineThread {
  /** It takes calls. Never resolves where it ends before. */
  readonly ready: Promise<Capabilities>;
  /** Why it ended, for an operator. */
  readonly ended: Promise<string>;
  send(call: NumberedCall): void;
  terminate(): Promise<unknown>;
}

export function startEngineThread(source: EngineSource, hear: (news: News) => void): EngineThread {
  const worker = startThread(new URL('worker-thread.ts', import.meta.url), { workerData: source });
  const ready = Promise.withResolvers<Capabilities>();
  const ended = Promise.withResolvers<string>();
  let reason = 'it exited';
  worker.on('message', (report: Report) => {
    if (report.kind === 'ready') ready.resolve(report.capabilities);
    else hear(report);
  });
  worker.on('error', (error) => (reason = String(error)));
  worker.on('exit', () => ended.resolve(reason));
  return {
    ready: ready.promise,
    ended: ended.promise,
    send: (call) => worker.postMessage(call),
    terminate: () => worker.terminate(),
  };
}
