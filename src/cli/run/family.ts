/** What the supervisor and its two children say to each other over IPC. Types only; keep.ts and role.ts speak it. */
import type { Program } from '../../program/watch.ts';

export interface ControlFacts {
  readonly api: string;
  readonly console: string;
  /** Empty where DNS is off. */
  readonly dns: string;
  /** HOST:PORT as bound: where a control that is started again listens. */
  readonly listen: string;
  readonly secretId: string;
  readonly secretKey: string;
  readonly zoneId: string;
  /** What the first control under this supervisor was started from. */
  readonly program?: Program | undefined;
}

export interface EdgeFacts {
  /** Those that can be used here. */
  readonly engines: readonly string[];
  /** What the first edge under this supervisor was started from. */
  readonly program?: Program | undefined;
}

export type FromChild<F> =
  | { readonly kind: 'ready'; readonly facts: F }
  /** It can't start and no second try would help: one line for the person. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The process before it has let go. */
  | { readonly kind: 'committed' };

export interface ToChild<F = unknown> {
  /**
   * `begin`: settings and folder are in order, touch them; until then it only loads its code. `commit`: both are ready;
   * one that takes over tells the process before it to let go. `stop`: end, taking the time it takes.
   */
  readonly kind: 'begin' | 'commit' | 'stop';
  /** With `begin`, after a death: what the last child that was ready had told. */
  readonly last?: F | undefined;
}
