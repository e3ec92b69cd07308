/**
 * The log: one line per event on stderr, JSON for machines or short text for a terminal. Levels are filtered here, so
 * call sites never ask. Facts are flat values; never put a secret into one.
 */
import type { Clock } from '../lib/clock.ts';
import { LOG_LEVELS, type LogLevel } from '../lib/log-level.ts';

export type Facts = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  error(message: string, facts?: Facts): void;
  /** A log that adds these facts to every line. */
  with(facts: Facts): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

export function createLog(options: LogOptions, base: Facts = {}): Log {
  const least = LOG_LEVELS.indexOf(options.level);
  function emit(level: LogLevel, message: string, facts: Facts = {}): void {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const time = new Date(options.clock.now()).toISOString();
    const all = { ...base, ...facts };
    const line =
      options.format === 'json' ? JSON.stringify({ time, level, message, ...all }) : text(time, level, message, all);
    options.write(`${line}\n`);
  }
  return {
    debug: (message, facts) => emit('debug', message, facts),
    info: (message, facts) => emit('info', message, facts),
    warn: (message, facts) => emit('warn', message, facts),
    error: (message, facts) => emit('error', message, facts),
    with: (facts) => createLog(options, { ...base, ...facts }),
  };
}

function text(time: string, level: LogLevel, message: string, facts: Facts): string {
  const tail = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [time.slice(11, 23), level.padEnd(5), message, ...tail].join(' ');
}

/** Swallows everything; for tests that don't look. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};
