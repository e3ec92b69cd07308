/**
 * A command with verbs (`key create`, `key list` …): each verb is one action of the API with its words and flags turned
 * into the action's fields.
 */
import type { AnyAction } from '../../api/action.ts';
import type { FlagTable } from '../../config/flags.ts';
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import type { Fields, Infer } from '../../shape/shape.ts';
import { show } from '../output.ts';
import type { Command } from '../command.ts';
import { openSession } from './session.ts';

interface Given {
  /** The words after the verb; as many as the verb asked for. */
  readonly words: readonly string[];
  /** The last value of a flag; undefined where it was not given. */
  readonly flag: (name: string) => string | undefined;
  /** All values of a flag. */
  readonly all: (name: string) => readonly string[];
}

interface Verb {
  /** The action's name. */
  readonly name: string;
  readonly service: AnyAction['service'];
  /** What follows it: `<User>`. */
  readonly usage: string;
  /** How many words follow: at least, at most. */
  readonly words: readonly [number, number];
  fields(given: Given): object;
}

interface Meaning<Req extends Fields> {
  readonly usage?: string;
  readonly words?: readonly [number, number];
  fields(given: Given): Infer<Req>;
}

type Callable<Req extends Fields> = Pick<AnyAction, 'service'> & { readonly request: Req };

/** Typed by the action's own fields, so that a verb can't fall behind them. */
export function verb<Req extends Fields>(name: string, action: Callable<Req>, meaning: Meaning<Req>): Verb {
  return { name, service: action.service, usage: '', words: [0, 0], ...meaning };
}

export function verbCommand(
  name: string,
  summary: string,
  flags: FlagTable,
  verbs: Readonly<Record<string, Verb>>,
  notes: readonly string[] = [],
): Command {
  const own: FlagTable = { ...flags, json: { help: 'For programs.' } };
  const usages = Object.entries(verbs).map(([word, { usage }]) => `${word} ${usage}`.trimEnd());
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
      const [least, most] = found.words;
      if (rest.length < least || rest.length > most)
        throw new Usage(`It is: edgefour ${name} ${word} ${found.usage}`.trimEnd());
      const { client } = openSession(config);
      const all = (flag: string): readonly string[] => flags.get(flag) ?? [];
      const fields = found.fields({ words: rest, all, flag: (flag) => all(flag).at(-1) });
      show(await client.call(found.name, fields, found.service), flags.has('json'));
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
