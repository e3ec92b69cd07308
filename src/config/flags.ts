/**
 * Splits an argument list by a table of flags: `--name value`, `--name=value`, switches, repetition, `--` for the rest.
 * Knows nothing of what the values mean; refuses what the table does not name, with the nearest name it does.
 */
import { Usage } from './usage.ts';

interface Flag {
  /** Absent for a switch; otherwise the word that stands for the value in help. */
  readonly value?: string;
  /** The flag's value where none is given; the next word is its value only where it is one of `value`. */
  readonly bare?: string | undefined;
  readonly help: string;
}
export type FlagTable = { readonly [name: string]: Flag };

interface Arguments {
  /** Values in the order given; `[]` is never there, a switch holds `['true']`. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

export function splitArguments(args: readonly string[], table: FlagTable): Arguments {
  const flags = new Map<string, string[]>();
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === '--') {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith('--')) {
      if (arg.startsWith('-') && arg.length > 1) throw new Usage(`Unknown option ${arg}. Options are written --name.`);
      words.push(arg);
      continue;
    }
    const equals = arg.indexOf('=');
    const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!flag) throw new Usage(`Unknown option --${name}.${suggestion(name, table)}`);
    const value = valueOf(name, flag, equals < 0 ? undefined : arg.slice(equals + 1), args[i + 1]);
    if (value.fromNext) i++;
    const values = flags.get(name);
    if (values) values.push(value.text);
    else flags.set(name, [value.text]);
  }
  return { flags, words };
}

function valueOf(name: string, flag: Flag, inline: string | undefined, next: string | undefined) {
  if (flag.value === undefined) {
    if (inline !== undefined) throw new Usage(`--${name} takes no value.`);
    return { text: 'true', fromNext: false };
  }
  if (inline !== undefined) return { text: inline, fromNext: false };
  if (flag.bare !== undefined && !flag.value.split('|').includes(next ?? ''))
    return { text: flag.bare, fromNext: false };
  // A value may start with one dash (a negative number), not with two: that is a forgotten value.
  if (next === undefined || next.startsWith('--')) throw new Usage(`--${name} needs a value: --${name} ${flag.value}.`);
  return { text: next, fromNext: true };
}

function suggestion(name: string, table: FlagTable): string {
  const near = nearest(name, Object.keys(table));
  return near === undefined ? ' Add --help to see the options.' : ` Did you mean --${near}?`;
}

/** The candidate that differs from `word` in at most two places, or that it begins; undefined where none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  const ranked = candidates.map((name) => ({ name, far: distance(wanted, name.toLowerCase()) })).sort(byDistance);
  const best = ranked[0];
  if (best && best.far <= 2 && best.far < word.length) return best.name;
  return candidates.find((name) => word.length > 2 && name.toLowerCase().startsWith(wanted));
}

function byDistance(a: { far: number }, b: { far: number }): number {
  return a.far - b.far;
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
