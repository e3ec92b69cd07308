/**
 * A version of the program that strikes on its way up, as EDGEFOUR_TEST_CRASH says: `ROLE WHEN`, where WHEN is `load` (before
 * it has done anything), `world` (an edge that reads its disk, so it has the sockets already), `acks` (a control that has
 * opened the store), or a word that it is just about to tell its supervisor. It kills itself; with EDGEFOUR_TEST_VICTIM that
 * process, EDGEFOUR_TEST_AFTER milliseconds later, and goes on. Else it is the program itself. The upgrade tests start it.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const { EDGEFOUR_TEST_CRASH = '', EDGEFOUR_TEST_VICTIM, EDGEFOUR_TEST_AFTER } = process.env;
const [who, when] = EDGEFOUR_TEST_CRASH.split(' ');
let hasStruck = false;

function isPath(value: unknown, end: string): boolean {
  return typeof value === 'string' && value.endsWith(end);
}

function strike(): void {
  if (hasStruck) return;
  hasStruck = true;
  if (EDGEFOUR_TEST_VICTIM === undefined) {
    process.kill(process.pid, 'SIGKILL');
    throw new Error('it has been killed');
  }
  setTimeout(() => process.kill(Number(EDGEFOUR_TEST_VICTIM), 'SIGKILL'), Number(EDGEFOUR_TEST_AFTER));
}

if (who === process.argv[2]) {
  if (when === 'load') strike();
  const { readdir, readFile } = fs.promises;
  fs.promises.readFile = ((...args: Parameters<typeof readFile>) => {
    if (when === 'acks' && isPath(args[0], '/acks.json')) strike();
    return readFile(...args);
  }) as typeof readFile;
  fs.promises.readdir = ((...args: Parameters<typeof readdir>) => {
    if (when === 'world' && isPath(args[0], '/edge/world')) strike();
    return readdir(...args);
  }) as typeof readdir;
  syncBuiltinESMExports();
  const send = process.send?.bind(process) as ((...args: unknown[]) => boolean) | undefined;
  if (send)
    process.send = ((...args: unknown[]) => {
      if ((args[0] as { kind?: unknown }).kind === when) strike();
      return send(...args);
    }) as NonNullable<typeof process.send>;
}

await import('../../src/cli/main.ts');
