/**
 * What the supervisor and its two children say to each other over IPC. supervised-child.ts speaks for the one, superior.ts
 * for the others.
 */
import type { Control } from '../../control/control.ts';
import type { Program } from '../../program/watch.ts';

export interface ControlFacts extends Omit<Control, 'retire' | 'stop'> {
  /** What the first control under this supervisor was started from. */
  readonly program?: Program | undefined;
}

export interface EdgeFacts {
  /** Those that can be used here. */
  readonly engines: readonly string[];
  /** What the first edge under this supervisor was started from. */
  readonly program?: Program | undefined;
}

/**
 * wire: the words as they go over the channel. A child may be of another version than its supervisor, where the program
 * has been replaced on disk meanwhile.
 *
 * `start`: settings and folder are in order, touch them; until then the child only loads its code. `begin`: both children
 * are ready; one that takes over begins, as in docs/explanation/upgrade.md. `stop`: end, taking the time it takes.
 */
export const TO_CHILD = { start: 'begin', begin: 'commit', stop: 'stop' } as const;

export interface ToChild<F = unknown> {
  readonly kind: (typeof TO_CHILD)[keyof typeof TO_CHILD];
  /** With `start`, after a death: what the last child that was ready had told. */
  readonly last?: F | undefined;
}

export type FromChild<F> =
  | { readonly kind: 'ready'; readonly facts: F }
  /** It can't start and no second try would help: one line for the person. */
  | { readonly kind: 'refused'; readonly message: string }
  /** wire: it has begun: the process before it has let go. */
  | { readonly kind: 'committed' };
