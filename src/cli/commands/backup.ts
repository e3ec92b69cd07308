/** `edgefour backup`: a copy of the world as one file, whether EdgeFour runs or not. */
import { statSync } from 'node:fs';
import { dataFolder } from '../../config/data-folder.ts';
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import { backup } from '../../store/sqlite/backup.ts';
import type { Command } from '../command.ts';
import { edgeCopyOf } from '../edge-copy.ts';
import { tell } from '../output.ts';

export const command: Command = {
  summary: 'Copy the desired state into one file; EdgeFour may run meanwhile.',
  usage: '<FILE> [settings]',
  roles: ['control'],
  notes: [
    'Keep credentials.json of the data folder with it: the copy alone has no root key for a new folder.',
    'Exit code 1: the world is damaged; the copy is sound and has what could be read.',
    'To restore: end EdgeFour, put the copy in the place of world.sqlite (remove world.sqlite-wal), start.',
  ],
  async run(args) {
    const { config, words } = readConfig(args, command.roles);
    const [file] = words;
    if (file === undefined || words.length > 1) throw new Usage('It is: edgefour backup <FILE>');
    const folder = dataFolder(config.data);
    const source = worldFile(config.store, folder.world);
    const { size } = statSync(source, { throwIfNoEntry: false }) ?? { size: 0 };
    if (size > BIG) tell(`edgefour: copying ${Math.round(size / 1024 ** 2)} MiB …`);
    const { revision, bytes, damaged } = await backup(source, file, edgeCopyOf(folder));
    tell(`edgefour: revision ${revision} is in ${file} (${Math.ceil(bytes / 1024)} KiB).`);
    if (damaged.length === 0) return 0;
    tell(`edgefour: ${source} is damaged; the copy has what could be read, and what the edge knows of the rest:`);
    for (const line of damaged) tell(`  ${line}`);
    return 1;
  },
};

/** What takes longer than a second to copy. */
const BIG = 256 * 1024 ** 2;

function worldFile(url: string | undefined, inFolder: string): string {
  if (url === undefined) return inFolder;
  if (url.startsWith('sqlite:')) return url.slice('sqlite:'.length);
  throw new Usage(`${url} is no file; back it up with its own tools.`);
}
