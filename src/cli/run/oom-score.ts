/**
 * Which process the kernel ends when memory is short. Control asks to be ended before the edge: traffic goes on without it,
 * and it is back in a moment. Called by control at its start.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const PATH = '/proc/self/oom_score_adj';
/** limit: half of the machine's memory on top of its own, so that an edge that is bigger still goes last. */
const CONTROL = 500;

/** Never lowers what is set. Where there is no such file (not Linux), or it may not be written, nothing happens. */
export function raiseOomScore(): void {
  try {
    if (Number(readFileSync(PATH, 'latin1')) < CONTROL) writeFileSync(PATH, `${CONTROL}`);
  } catch {
    // The kernel then decides by size alone.
  }
}
