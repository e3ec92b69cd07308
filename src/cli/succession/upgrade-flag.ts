/** The flag that makes a start a takeover. Apart from succession.ts, so that help and `up` load nothing for it. */
import type { FlagTable } from '../../config/flags.ts';

export const UPGRADE = {
  upgrade: {
    help: 'Take over from the one that runs on this data folder, without an interruption; else a plain start.',
  },
} as const satisfies FlagTable;
