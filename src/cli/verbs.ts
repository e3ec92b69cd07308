/**
 * A command with verbs (`key create`, `key list` …): each verb is one action of the API with its words and flags turned
 * into the action's fields.
 */
import type { AnyAction } from '../api/action.ts';
import type { FlagTable } from '../config/flags.ts';
import { readConfig } from '../config/read.ts';
import { Usage } from '../config/usage.ts';
import { call, show } from './call-action.ts';
import type { Command } from './command.ts';
import { openSession } from './session.ts';

export interface Given {
  /** The words after the verb. */
  readonly words: readonly string[];
  /** The last value of a flag; undefined where it was not given. */
  readonly flag: (name: string) => string | undefined;
  /** All values of a flag. */
  readonly all: (name: string) => readonly string[];
  /** The zone that is meant where none is named. */
  readonly zoneId: string;
}

export interface Verb {
  /** What follows it: `<User>`. */
  readonly usage: string;
  /** How many words follow: at least, at most. */
  readonly words: readonly [number, number];
  readonly action: AnyAction;
  fields(given: Given): object;
}

export type Verbs = Readonly<Record<string, readonly [name: string, verb: Verb]>>;

export function verbCommand(
  name: string,
  summary: string,
  flags: FlagTable,
  verbs: Verbs,
  notes: readonly string[] = [],
): Command {
  const own: FlagTable = { ...flags, json: { help: 'For programs.' } };
  const usages = Object.entries(verbs).map(([word, [, { usage }]]) => `${word} ${usage}`.trimEnd());
  return {
    summary,
    usage: `${Object.keys(verbs).join('|')} …`,
    roles: ['client'],
    flags: own,
    notes: [...usages.map((usage) => `edgefour ${name} ${usage}`), ...notes],
    async run(args) {
      const { config, flags, words } = readConfig(args, ['client'], own);
      const [word = '', ...rest] = words;
      const found = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
      if (!found)
        throw new Usage(`Say what to do: ${usages.map((usage) => `edgefour ${name} ${usage}`).join(', or ')}.`);
      const [action, verb] = found;
      const [least, most] = verb.words;
      if (rest.length < least || rest.length > most)
        throw new Usage(`It is: edgefour ${name} ${word} ${verb.usage}`.trimEnd());
      const { client, zoneId } = openSession(config);
      const all = (flag: string): readonly string[] => flags.get(flag) ?? [];
      const fields = verb.fields({ words: rest, all, flag: (flag) => all(flag).at(-1), zoneId });
      show(await call(client, action, verb.action, fields), flags.has('json'));
      return 0;
    },
  };
}

/** A whole number given as a flag, or nothing. Throws Usage. */
export function numberFrom(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new Usage(`--${flag} "${text}" is not a whole number.`);
  return Number(text);
}
