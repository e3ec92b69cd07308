/** What an edge says in its log, and when: one in this process, or in one of its own. */
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Log } from '../../src/observe/log.ts';

export interface Said {
  readonly level: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** As performance.now(). */
  readonly at: number;
}

export function hearing(): { readonly log: Log; readonly said: Said[] } {
  const said: Said[] = [];
  const say =
    (level: string) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}) =>
      void said.push({ level, message, facts, at: performance.now() });
  const levels = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  const log: Log = { ...levels, with: () => log };
  return { log, said };
}

/** What a program says on stderr, a line of JSON each; other lines are passed on. */
export function heardFrom(stderr: Readable): Said[] {
  const said: Said[] = [];
  createInterface({ input: stderr }).on('line', (line) => {
    if (!line.startsWith('{')) return void process.stderr.write(`${line}\n`);
    const { level, message, ...facts } = JSON.parse(line) as Pick<Said, 'level' | 'message'>;
    said.push({ level, message, facts, at: performance.now() });
  });
  return said;
}
