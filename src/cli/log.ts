/** The log of a process: on stderr, text for a terminal, JSON for anything else unless the setting says otherwise. */
import process from 'node:process';
import type { Config } from '../config/read.ts';
import { systemClock } from '../lib/clock.ts';
import { createLog, type Log } from '../observe/log.ts';

export function logFor(config: Config, role: string): Log {
  const { level, format } = config.log;
  // Forwarding goes on when nobody reads the log any more.
  process.stderr.on('error', () => {});
  const log = createLog({
    level,
    format: format === 'auto' ? (process.stderr.isTTY ? 'text' : 'json') : format,
    clock: systemClock,
    write: (line) => process.stderr.write(line),
  });
  return log.with({ role });
}
