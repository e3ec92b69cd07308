/** A log that keeps what is said, and when. */
import type { Log } from '../../src/observe/log.ts';

interface Said {
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
