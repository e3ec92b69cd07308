/**
 * How the text of a setting becomes its value. A parser returns the value or throws a Refused that says what would do;
 * read.ts puts the setting's name in front. Pure; names nothing of the settings themselves.
 */
import { isIP } from 'node:net';
import { parseCidr } from '../lib/net/cidr.ts';
import { LOG_LEVELS, type LogLevel } from '../lib/log-level.ts';
import type { PortSpan } from '../lib/net/ports.ts';
import { parsePortSpans } from '../linux/dial-ports.ts';

/** The form of a value, as the end of a sentence: `is not HOST:PORT, for example 127.0.0.1:7400`. */
export class Refused extends Error {}
export type Parser<T> = (text: string) => T;

export interface HostPort {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface LogSetting {
  readonly level: LogLevel;
  /** `auto`: text on a terminal, JSON elsewhere. */
  readonly format: 'json' | 'text' | 'auto';
}

export const text: Parser<string> = (value) => {
  if (value === '') throw new Refused('is empty; give a value or leave the setting out');
  return value;
};

export const hostPort: Parser<HostPort> = (value) => {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(value);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  const bracketed = match?.[1] !== undefined;
  if (!match || host === '' || port > 65535 || (bracketed && isIP(host) !== 6))
    throw new Refused('is not HOST:PORT, for example 127.0.0.1:7400 or [::1]:7400');
  return { host, port };
};

export const hostPortOrOff: Parser<HostPort | undefined> = (value) => (value === 'off' ? undefined : hostPort(value));

export function choice<const V extends string>(...values: readonly V[]): Parser<V> {
  return (value) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new Refused(`is none of ${values.join(', ')}`);
    return found;
  };
}

export function wholeNumber(min: number, max: number): Parser<number> {
  return (value) => {
    const number = Number(value);
    if (!/^\d{1,12}$/.test(value) || number < min || number > max)
      throw new Refused(`is not a whole number from ${min} to ${max}`);
    return number;
  };
}

export function words(value: string): string[] {
  return value.split(/[\s,]+/).filter((word) => word !== '');
}

export function networks(...alsoWords: readonly string[]): Parser<readonly string[]> {
  return (value) => {
    const bad = words(value).find((word) => !parseCidr(word) && !alsoWords.includes(word));
    if (bad === undefined) return words(value);
    const or = alsoWords.map((word) => `, or ${word}`).join('');
    throw new Refused(`holds ${bad}, which is not an address or network such as 127.44.0.0/16${or}`);
  };
}

export const wordList: Parser<readonly string[]> = (value) => {
  const bad = words(value).find((word) => !/^[a-z][a-z0-9-]*$/.test(word));
  if (bad !== undefined) throw new Refused(`holds ${bad}; write lower-case words with commas between`);
  return words(value);
};

/** Connection records: 1 = all, 0 = none, N = one in N. */
export const records: Parser<number> = (value) => {
  if (value === 'all') return 1;
  if (value === 'off') return 0;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new Refused('is not all, off, or a number N for one in N');
  return Number(value);
};

/** limit: 0 and 1 have no length, the others are the system's own (IANA's registry): it would write both or refuse ours. */
const TAKEN_KINDS = new Set([0, 1, 2, 3, 4, 5, 8, 19, 29, 30, 34]);

/** Kinds of a TCP option by the family of the address in it. */
export const optionKinds: Parser<{ readonly v4: number; readonly v6: number }> = (value) => {
  const [v4 = NaN, v6 = v4, ...more] = value.split(',').map((kind) => (/^\d{1,3}$/.test(kind) ? Number(kind) : NaN));
  const bad = [v4, v6].some((kind) => !(kind <= 255) || TAKEN_KINDS.has(kind));
  if (bad || more.length > 0)
    throw new Refused('is not the number of a free TCP option, or two of them, for example 254,253 or 200');
  return { v4, v6 };
};

export const portSpans: Parser<readonly PortSpan[]> = (value) => {
  const spans = value === 'off' ? [] : parsePortSpans(value);
  if (!spans) throw new Refused('is not a list of ports such as 10240-32767,61000-65535, or off');
  return spans;
};

export const cloudIdOf =
  (prefix: string): Parser<string> =>
  (value) => {
    if (!new RegExp(`^${prefix}-[0-9a-z]{1,32}$`).test(value))
      throw new Refused(`is not an id like ${prefix}-3kq782jghthh`);
    return value;
  };

export const domainName: Parser<string> = (value) => {
  const name = value.replace(/\.$/, '').toLowerCase();
  const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?$/;
  if (name.length > 200 || name === '' || !name.split('.').every((part) => label.test(part)))
    throw new Refused('is not a domain name such as edge.example.com');
  return name;
};

export const logSetting: Parser<LogSetting> = (value) => {
  let level: LogLevel = 'info';
  let format: LogSetting['format'] = 'auto';
  for (const word of words(value)) {
    const asLevel = LOG_LEVELS.find((candidate) => candidate === word);
    if (asLevel) level = asLevel;
    else if (word === 'json' || word === 'text' || word === 'auto') format = word;
    else throw new Refused(`holds ${word}; write a level (${LOG_LEVELS.join(', ')}), a format (json, text), or both`);
  }
  return { level, format };
};

export function matching(pattern: RegExp, what: string): Parser<string> {
  return (value) => {
    if (!pattern.test(value)) throw new Refused(`is not ${what}`);
    return value;
  };
}

/** `http://host:port` and nothing after it; `host:port` alone means http. */
export const endpoint: Parser<string> = (value) => {
  const full = value.includes('://') ? value : `http://${value}`;
  if (!URL.canParse(full) || !/^https?:$/.test(new URL(full).protocol))
    throw new Refused('is not the address of an API such as http://127.0.0.1:7400');
  return new URL(full).origin;
};
