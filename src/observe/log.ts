/**
 * The log: one line per event on stderr, JSON for machines or short text for a terminal. Levels are filtered here, so
 * call sites never ask. Facts are flat values; never put a secret into one. A value is cut and its control characters are
 * escaped here, so a stranger's text is one value of one line.
 */
import type { Clock } from '../lib/clock.ts';
import { cut, escapeControls } from '../lib/excerpt.ts';
import { LOG_LEVELS, type LogLevel } from '../lib/log-level.ts';

type Facts = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  error(message: string, facts?: Facts): void;
  /** A log that adds these facts to every line. */
  with(facts: Facts): Log;
}

interface LogOptions {
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
    const all = bounded({ ...base, ...facts });
    const short = cut(message);
    const line =
      options.format === 'json'
        ? JSON.stringify({ time, level, message: short, ...all })
        : text(time, level, short, all);
    options.write(`${escapeControls(line)}\n`);
  }
  return {
    debug: (message, facts) => emit('debug', message, facts),
    info: (message, facts) => emit('info', message, facts),
    warn: (message, facts) => emit('warn', message, facts),
    error: (message, facts) => emit('error', message, facts),
    with: (facts) => createLog(options, { ...base, ...facts }),
  };
}

/** limit: where an error of our own was thrown is worth more lines than a stranger's text. */
const STACK_CHARACTERS = 4_000;
const ELEMENTS = 50;

function bounded(facts: Facts): Facts {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      cut(name),
      name === 'stack' && typeof value === 'string' ? cut(value, STACK_CHARACTERS) : boundedValue(value),
    ]),
  );
}

function boundedValue(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  if (Array.isArray(value)) return value.slice(0, ELEMENTS).map(boundedValue);
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
    ? bounded(value as Facts)
    : value;
}

function text(time: string, level: LogLevel, message: string, facts: Facts): string {
  const tail = Object.entries(facts).map(
    ([name, value]) =>
      `${name}=${typeof value === 'string' && /^[^\s"=]*$/.test(value) ? value : JSON.stringify(value)}`,
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
