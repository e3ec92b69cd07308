/** A fault on demand as the API shows it. */
import { type Fields, string, unsigned } from '../../shape/shape.ts';

export const EdgeFourFault = {
  ActionName: string('The action whose next calls it strikes.'),
  Code: string('The code they answer with; empty where they only take longer.'),
  Times: unsigned('How many calls are still to be struck.'),
  DelayMs: unsigned('How long each waits first, in milliseconds.'),
} as const satisfies Fields;
