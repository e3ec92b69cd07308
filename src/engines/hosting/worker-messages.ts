/** Messages between an engine's thread (worker-thread.ts) and its host on the agent's thread (worker-engine.ts). Types only. */
import type { ConnectionRecord } from '../../domain/fact/fact.ts';
import type { Applied, Capabilities, EngineEvents, TargetOutcomes } from '../engine.ts';
import type { Call } from './forward.ts';

/** Given to the thread at its start: the factory's module and name in it. */
export interface EngineSource {
  /** `file:` URL. */
  readonly module: string;
  readonly factory: string;
  /** Its second argument. */
  readonly options?: unknown;
}

export interface NumberedCall {
  readonly number: number;
  readonly call: Call;
}

export type Report =
  | { readonly kind: 'ready'; readonly capabilities: Capabilities }
  /** What the call resolved with, or why it rejected. */
  | { readonly kind: 'answer'; readonly number: number; readonly value?: unknown; readonly error?: string }
  | { readonly kind: 'records'; readonly records: readonly ConnectionRecord[] }
  | { readonly kind: 'outcomes'; readonly batch: readonly TargetOutcomes[] }
  | { readonly kind: 'listener'; readonly id: string; readonly state: Applied }
  | { readonly kind: 'log'; readonly entry: Parameters<EngineEvents['log']> };
