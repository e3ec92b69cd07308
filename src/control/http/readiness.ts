/**
 * The answer of /readyz. Under `up` control is there for one edge, and without it nothing is served; a control of its own is
 * ready whatever edges do, and only names those that are silent. Pure; called by doors.ts.
 */
/** limit: names in an answer that needs no key. */
const NAMED = 20;

interface Liveness {
  isAlive(edge: string): boolean;
  silent(): readonly string[];
}

/** `own`: the edge that control is there for. */
export function readiness(edges: Liveness, own: string | undefined): { isReady: boolean; text: string } {
  const silent = edges.silent();
  const more = silent.length > NAMED ? ` and ${silent.length - NAMED} more` : '';
  const named = silent.length === 0 ? '' : `silent: ${silent.slice(0, NAMED).join(', ')}${more}\n`;
  const isReady = own === undefined || edges.isAlive(own);
  if (isReady) return { isReady, text: `ready\n${named}` };
  return { isReady, text: silent.includes(own) ? named : `edge ${own} has not joined yet\n` };
}
