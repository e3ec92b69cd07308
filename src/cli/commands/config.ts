/** `edgefour config`: every setting with its value, where it came from and what it means. Never the secret key. */
import { readConfig } from '../../config/read.ts';
import { type Setting, SETTINGS, type SettingName } from '../../config/settings.ts';
import type { Command } from '../command.ts';
import { write, writeJson } from '../output.ts';
import { table } from '../client/table.ts';

export const command: Command = {
  summary: 'Every setting: its value and where it came from.',
  usage: '[settings] [--json]',
  roles: ['up', 'control', 'edge', 'client'],
  flags: { json: { help: 'For programs.' } },
  run(args) {
    const { origins, flags } = readConfig(args, command.roles, command.flags);
    const rows = [...origins].map(([name, { source, text }]) => ({
      ...describe(name),
      value: shown(name, text),
      source,
    }));
    if (flags.has('json')) writeJson(rows);
    else write(table(['SETTING', 'VALUE', 'FROM', 'VARIABLE', 'MEANING'], rows.map(line)));
    return Promise.resolve(0);
  },
};

function describe(name: SettingName) {
  const { flag, env, help }: Setting = SETTINGS[name];
  return { setting: name, ...(flag !== undefined && { flag: `--${flag}` }), env, help };
}

function shown(name: SettingName, text: string | undefined): string {
  if (text === undefined) return '';
  const { secret }: Setting = SETTINGS[name];
  return secret ? '(set, not shown)' : text;
}

function line(row: {
  setting: string;
  flag?: string;
  value: string;
  source: string;
  env: string;
  help: string;
}): string[] {
  return [row.flag ?? row.setting, row.value || '-', row.source === 'none' ? '-' : row.source, row.env, row.help];
}
