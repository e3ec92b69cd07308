/** Targets that must not be dialled, and the cause that connections end with instead. Pure; engines ask it at each choice. */
import type { Bar } from '../engine.ts';

export type Barrable = { readonly barred?: Bar | undefined };

/** Whether nothing goes to this port of the target. */
export function isBarred({ barred }: Barrable, port: number): boolean {
  return barred !== undefined && (barred.ports?.some(({ from, to }) => port >= from && port <= to) ?? true);
}

/** The cause to give where no target can be chosen. */
export function whyNone(targets: readonly Barrable[]): Bar['cause'] | 'no-origin' {
  for (const { barred } of targets) if (barred) return barred.cause;
  return 'no-origin';
}
