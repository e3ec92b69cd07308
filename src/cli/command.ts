/** The form of a command. Each file in commands/ has one; main.ts lists them. Types only, so that it costs nothing. */
import type { FlagTable } from '../config/flags.ts';
import type { Role } from '../config/settings.ts';

export interface Command {
  readonly summary: string;
  /** What follows the command's name: `<Action> [--Field value …]`. */
  readonly usage: string;
  /** Which settings it takes. */
  readonly roles: readonly Role[];
  /** Which of them its help shows, where `up` passes down more than it reads. */
  readonly shown?: readonly Role[];
  /** Its own flags. */
  readonly flags?: FlagTable;
  /** More lines of help. */
  readonly notes?: readonly string[];
  /** It answers --help itself. */
  readonly ownHelp?: true;
  /** Resolves with the exit code: 0 done, 1 the API or the system said no, 2 wrong usage. */
  run(args: readonly string[]): Promise<number>;
}
