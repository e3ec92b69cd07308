/** Help: the list of commands, and the usage of one with its flags and settings. */
import { nearest } from '../config/flags.ts';
import type { FlagTable } from '../config/flags.ts';
import { settingFlags } from '../config/read.ts';
import { Usage } from '../config/usage.ts';
import type { Command } from './command.ts';
import { write } from './output.ts';

type Commands = Readonly<Record<string, () => Promise<{ command: Command }>>>;

/** For a word that is no command: help, or a refusal that names the nearest. */
export async function helpOrRefuse(commands: Commands, word: string, args: readonly string[]): Promise<number> {
  const isHelp = ['help', '--help', '-h'].includes(word);
  const name = isHelp ? args[0] : word;
  if (name === undefined) return list(commands);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load) return showHelp(name, (await load()).command);
  const near = nearest(name, Object.keys(commands));
  throw new Usage(`Unknown command ${name}.${near ? ` Did you mean ${near}?` : ' See `edgefour help`.'}`);
}

export function showHelp(name: string, command: Command): number {
  write(helpOf(name, command));
  return 0;
}

async function list(commands: Commands): Promise<number> {
  const all = await Promise.all(Object.entries(commands).map(async ([name, load]) => ({ name, ...(await load()) })));
  const lines = all.map(({ name, command }) => `  ${name.padEnd(9)}${command.summary}`);
  write(['EdgeFour: a Layer 4 edge proxy with the EdgeOne L4 API.', '', ...lines, ''].join('\n'));
  return 0;
}

export function helpOf(name: string, command: Command): string {
  const own = flagLines(command.flags ?? {});
  const settings = flagLines(settingFlags(command.shown ?? command.roles));
  return [
    command.summary,
    '',
    `  edgefour ${name} ${command.usage}`.trimEnd(),
    ...(command.notes ? ['', ...command.notes.map((line) => `  ${line}`)] : []),
    ...(own.length > 0 ? ['', 'Options', ...own] : []),
    ...(settings.length > 0 ? ['', 'Settings (each also as a variable; see `edgefour config`)', ...settings] : []),
    '',
  ].join('\n');
}

function flagLines(table: FlagTable): string[] {
  const heads = Object.entries(table).map(([name, flag]) => ({
    head: `--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`,
    help: flag.help,
  }));
  const width = Math.max(0, ...heads.map(({ head }) => head.length));
  return heads.map(({ head, help }) => `  ${head.padEnd(width)}  ${help}`);
}
