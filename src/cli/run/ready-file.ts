/** The file that tells scripts where everything is, once everything listens. Its form is part of the outside contract. */
import process from 'node:process';
import { type PatientFile, writePatiently } from '../../config/patient-file.ts';
import { systemClock } from '../../lib/clock.ts';
import type { ControlFacts } from './family.ts';

/** Throws where the path can't be written; a full disk is waited for. */
export function writeReadyFile(path: string, facts: ControlFacts): PatientFile {
  const { api, dns, console, secretId, secretKey, zoneId } = facts;
  const ready = { api, dns, console, secretId, secretKey, zoneId, pid: process.pid };
  return writePatiently(path, `${JSON.stringify(ready)}\n`, systemClock, (reason) =>
    process.stderr.write(`edgefour: ${path} is written as soon as its disk takes it (${reason}).\n`),
  );
}
