/**
 * The log of a process: on stderr, text for a terminal, JSON for anything else unless the setting says otherwise. A reader
 * that has stalled costs lines, and no memory.
 */
import process from 'node:process';
import type { Config } from '../../config/read.ts';
import { systemClock } from '../../lib/clock.ts';
import { createLog, type Log } from '../../observe/log.ts';

/** limit: lines that wait for their reader. */
const MOST_WAITING = 1 << 20;
let lost = 0;

function write(line: string): void {
  const { stderr } = process;
  if (stderr.writableLength > MOST_WAITING) {
    lost++;
    return;
  }
  if (lost > 0) stderr.write(`edgefour: ${lost} lines of the log are lost, because they were not read in time\n`);
  lost = 0;
  stderr.write(line);
}

export function logFor(config: Config, role: string): Log {
  const { level, format } = config.log;
  // Forwarding goes on when the log is not read any more.
  process.stderr.on('error', () => {});
  const log = createLog({
    level,
    format: format === 'auto' ? (process.stderr.isTTY ? 'text' : 'json') : format,
    clock: systemClock,
    write,
  });
  return log.with({ role });
}
