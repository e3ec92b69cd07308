/** `npm run reference`: writes docs/reference from the lists in the code, and deletes pages of what is gone. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { committed, HERE, pages } from './pages.ts';

const wanted = await pages();
for (const path of committed().keys()) if (!wanted.has(path)) rmSync(join(HERE, path));
for (const [path, text] of wanted) {
  mkdirSync(dirname(join(HERE, path)), { recursive: true });
  writeFileSync(join(HERE, path), text);
}
process.stdout.write(`${wanted.size} pages in docs/reference\n`);
