/**
 * A version of the program that dies on its way up, as EDGEFOUR_TEST_CRASH says: `ROLE WHEN`, where WHEN is `load` (before
 * it has done anything), `world` (an edge that reads its disk, so it has the sockets already), `acks` (a control that has
 * opened the store), or a word that it is just about to tell its supervisor. Else it is the program itself. The upgrade tests start it.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const [who, when] = (process.env['EDGEFOUR_TEST_CRASH'] ?? '').split(' ');

function isPath(value: unknown, end: string): boolean {
  return typeof value === 'string' && value.endsWith(end);
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('it has been killed');
}

if (who === process.argv[2]) {
  if (when === 'load') die();
  const { readdir, readFile } = fs.promises;
  fs.promises.readFile = ((...args: Parameters<typeof readFile>) =>
    when === 'acks' && isPath(args[0], '/acks.json') ? die() : readFile(...args)) as typeof readFile;
  fs.promises.readdir = ((...args: Parameters<typeof readdir>) =>
    when === 'world' && isPath(args[0], '/edge/world') ? die() : readdir(...args)) as typeof readdir;
  syncBuiltinESMExports();
  const send = process.send?.bind(process) as ((...args: unknown[]) => boolean) | undefined;
  if (send)
    process.send = ((...args: unknown[]) =>
      (args[0] as { kind?: unknown }).kind === when ? die() : send(...args)) as NonNullable<typeof process.send>;
}

await import('../../src/cli/main.ts');
