/** The form of a command, and how its help reads. Each file in commands/ has one; main.ts lists them. */
import { type FlagTable } from '../config/flags.ts';
import { settingFlags } from '../config/read.ts';
import type { Role } from '../config/settings.ts';

export interface Command {
  readonly summary: string;
  /** What follows the command's name: `<Action> [--Field value …]`. */
  readonly usage: string;
  /** Which settings it takes. */
  readonly roles: readonly Role[];
  /** Its own flags. */
  readonly flags?: FlagTable;
  /** More lines of help. */
  readonly notes?: readonly string[];
  /** It answers --help itself. */
  readonly ownHelp?: true;
  /** Resolves with the exit code: 0 done, 1 the API or the system said no, 2 wrong usage. */
  run(args: readonly string[]): Promise<number>;
}

export function helpOf(name: string, command: Command): string {
  const own = flagLines(command.flags ?? {});
  const settings = flagLines(settingFlags(command.roles));
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
