/** The file that tells scripts where everything is, once everything listens. Its form is part of the outside contract. */
import process from 'node:process';
import { writeFileAtomic } from '../config/file.ts';
import type { ControlFacts } from './family.ts';

export function writeReadyFile(path: string, { api, dns, console, secretId, secretKey, zoneId }: ControlFacts): void {
  const ready = { api, dns, console, secretId, secretKey, zoneId, pid: process.pid };
  writeFileAtomic(path, `${JSON.stringify(ready)}\n`);
}
