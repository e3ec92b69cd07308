/**
 * `edgefour api <Action>`: every action of the API as a command, derived from the action list: its fields are the flags,
 * its summary and example the help.
 */
import { ACTIONS } from '../../api/actions/index.ts';
import type { AnyAction } from '../../api/action.ts';
import { nearest } from '../../config/flags.ts';
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import { systemClock } from '../../lib/clock.ts';
import { fieldsFrom, flagsOf } from '../client/action-flags.ts';
import type { Command } from '../command.ts';
import { showHelp } from '../help.ts';
import { show, tell, write } from '../output.ts';
import { openSession } from '../client/session.ts';
import { missingProxy } from '../client/missing-proxy.ts';
import { table } from '../client/table.ts';
import { reasons, settled } from '../client/wait.ts';

export const command: Command = {
  summary: 'Call an action of the API.',
  usage: '<Action> [--Field value …] [--wait] [--json]',
  roles: ['client'],
  flags: {
    wait: { help: 'Until the instance and its rules are online, offline or failed (at most 60 s).' },
    json: { help: 'The answer as JSON, for programs.' },
  },
  notes: [
    'A list is given by repeating its flag or as JSON, a structure as JSON.',
    'ZoneId may be left out: the zone that exists from the start is meant.',
    '`edgefour api` lists the actions, `edgefour api <Action> --help` shows the fields of one.',
  ],
  ownHelp: true,
  async run([name = '', ...args]) {
    if (name === '' || name.startsWith('--')) return list(name);
    const action = find(name);
    if (args.includes('--help')) return help(name, action);
    const { config, flags, words } = readConfig(args, command.roles, { ...flagsOf(action.request), ...command.flags });
    if (words.length > 0) throw new Usage(`"${words[0]}" belongs to no flag; fields are given as --Field value.`);
    const session = openSession(config);
    const fields: Record<string, unknown> = fieldsFrom(action.request, flags);
    if ('ZoneId' in action.request && fields['ZoneId'] === undefined && session.zoneId !== '')
      fields['ZoneId'] = session.zoneId;
    const answer = await session.client.call(name, fields, action.service);
    show(answer, flags.has('json'));
    const missing = await missingProxy(session.client, fields, answer);
    if (missing !== undefined) tell(missing);
    if (!flags.has('wait')) return 0;
    return wait(session.client, { ...fields, ...answer });
  },
};

const WAIT_MS = 60_000;

async function wait(
  client: Parameters<typeof settled>[0],
  { ZoneId, ProxyId }: Record<string, unknown>,
): Promise<number> {
  if (typeof ZoneId !== 'string' || typeof ProxyId !== 'string')
    throw new Usage('--wait is for actions on one L4 proxy: those with ZoneId and ProxyId.');
  const left = await settled(client, ZoneId, ProxyId, systemClock, WAIT_MS);
  for (const item of left) tell(`${item.RuleId ?? item.ProxyId}: ${item.Status} (\`edgefour status\` says why)`);
  if (left.length > 0) for (const why of await reasons(client, ZoneId, ProxyId)) tell(`! ${why}`);
  return left.length === 0 ? 0 : 1;
}

function find(name: string): AnyAction {
  const actions: Readonly<Record<string, AnyAction>> = ACTIONS;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action) return action;
  const near = nearest(name, Object.keys(actions));
  throw new Usage(`There is no action ${name}.${near ? ` Did you mean ${near}?` : ' `edgefour api` lists them.'}`);
}

function list(flag: string): number {
  if (flag === '--help') return showHelp('api', command);
  const all = Object.entries(ACTIONS).map(([name, { summary }]) => [name, summary] as const);
  const isOwn = ([name]: (typeof all)[number]): boolean => name.startsWith('EdgeFour');
  // What a reader comes for first; our own have commands of their own.
  write(table(['ACTION', 'WHAT IT DOES'], [...all.filter((one) => !isOwn(one)), ...all.filter(isOwn)]));
  return 0;
}

function help(name: string, action: AnyAction): number {
  const { title, request } = action.example;
  const example = Object.entries(request as object).map(([field, value]) => ` --${field} ${quoted(value)}`);
  return showHelp(`api ${name}`, {
    ...command,
    summary: action.summary,
    usage: '[--Field value …] [--wait] [--json]',
    flags: { ...flagsOf(action.request), ...command.flags },
    notes: [`${title}:`, `  edgefour api ${name}${example.join('')}`],
  });
}

function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
