/** The flags of `up`, `control` and `edge` that are no settings. Alone in a file, so that help loads nothing else for them. */
import type { FlagTable } from '../../config/flags.ts';

/** Makes a start a takeover. */
export const UPGRADE = {
  upgrade: {
    help: 'Take over from the one that runs on this data folder, without an interruption; else a plain start.',
  },
} as const satisfies FlagTable;

export const BACKGROUND = {
  background: { help: 'Return once everything listens; it goes on in the background.' },
} as const satisfies FlagTable;
