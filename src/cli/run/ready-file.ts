/** The file that tells scripts where everything is, once everything listens. Its form is part of the outside contract. */
import process from 'node:process';
import { type PatientFile, removeIfPossible, writePatiently } from '../../config/patient-file.ts';
import { Usage } from '../../config/usage.ts';
import { systemClock } from '../../lib/clock.ts';
import type { ControlFacts } from './ipc.ts';

/** Each method does nothing where no `path` is asked for. */
export class ReadyFile {
  readonly #path: string | undefined;
  #waiting: PatientFile | undefined;

  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** A full disk is waited for. Throws Usage where the path can't be written. */
  write({ api, dns, console, secretId, secretKey, zoneId }: ControlFacts): void {
    const path = this.#path;
    if (path === undefined) return;
    const ready = { api, dns, console, secretId, secretKey, zoneId, pid: process.pid };
    try {
      this.#waiting = writePatiently(path, `${JSON.stringify(ready)}\n`, systemClock, (reason) =>
        process.stderr.write(`edgefour: ${path} is written as soon as its disk takes it (${reason}).\n`),
      );
    } catch (error) {
      throw new Usage(`Can't write ${path} (${(error as Error).message}). Name another with --ready-file.`);
    }
  }

  /** What still waits for the disk is not written any more. */
  cancel(): void {
    this.#waiting?.cancel();
  }

  remove(): void {
    if (this.#path !== undefined) removeIfPossible(this.#path);
  }
}
