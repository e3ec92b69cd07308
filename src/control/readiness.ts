/**
 * What /readyz says. Under `up` control is there for one edge, and without it nothing is served; a control of its own is
 * ready whatever edges do, and only names those that are silent. Pure; called by doors.ts.
 */
import type { EdgeFact } from '../api/transaction.ts';

type Known = Pick<EdgeFact, 'id' | 'alive'>;

/** limit: names in an answer that anybody may ask for. */
const NAMED = 20;

export function readiness(edges: readonly Known[], own: string | undefined): { isReady: boolean; text: string } {
  const silent = edges.filter(({ alive }) => !alive).map(({ id }) => id);
  const more = silent.length > NAMED ? ` and ${silent.length - NAMED} more` : '';
  const named = silent.length === 0 ? '' : `silent: ${silent.slice(0, NAMED).join(', ')}${more}\n`;
  const isReady = own === undefined || edges.some(({ id, alive }) => id === own && alive);
  if (isReady) return { isReady, text: `ready\n${named}` };
  return { isReady, text: named === '' ? `edge ${own} has not joined yet\n` : named };
}
