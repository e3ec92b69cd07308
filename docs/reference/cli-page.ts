/** The page of the command line: the help of every command, as `edgefour help <command>` prints it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../../src/cli/command.ts';
import { helpOf } from '../../src/cli/help.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'src', 'cli', 'commands');

export async function cliPage(): Promise<string> {
  const names = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -3))
    .sort();
  const parts = await Promise.all(
    names.map(async (name) => {
      const { command } = (await import(join(FOLDER, `${name}.ts`))) as { command: Command };
      return [`## ${name}`, '', '```text', helpOf(name, command).trimEnd(), '```', ''].join('\n');
    }),
  );
  return [
    '# Command line',
    '',
    'In a checkout, `npx edgefour <command>`; installed, `edgefour <command>`. Exit codes: 0 done, 1 refused, 2 wrong usage.',
    '',
    ...parts,
  ].join('\n');
}
