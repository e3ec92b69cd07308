/**
 * An edge with rules does not take an empty world for them: most likely control has lost its store, and that rules end is
 * an operator's to say (--new-world). Asked by the replica, which it never changes; last-good.ts shows its alarm.
 */
import type { Signal } from '../../lib/signal.ts';
import type { FrameRecord } from '../../link/contract.ts';
import type { Replica } from '../../link/replica.ts';
import type { Log } from '../../observe/log.ts';

export interface NewWorld {
  /** What an operator should know; empty where no world was refused. */
  readonly alarms: readonly string[];
}

interface NewWorldOptions {
  readonly replica: Replica;
  readonly isConfirmed: boolean;
  readonly log: Log;
  readonly changed: Signal;
}

export function guardAgainstEmpty({ replica, isConfirmed, log, changed }: NewWorldOptions): NewWorld {
  const advice = (): string =>
    `control offers an empty world, and this edge goes on with the ${rulesIn(replica.records)} rules it has: restore world.sqlite from a backup, or end these rules with --new-world`;
  replica.judgeBy((world, records) => {
    if (isConfirmed || rulesIn(replica.records) === 0 || rulesIn(records) > 0) return true;
    if (replica.refused !== world) log.error(advice(), { world });
    changed.tell();
    return false;
  });
  return {
    get alarms() {
      return replica.refused === '' ? [] : [advice()];
    },
  };
}

function rulesIn(records: ReadonlyMap<string, FrameRecord>): number {
  return records
    .values()
    .filter(({ key }) => key.startsWith('proxy/'))
    .reduce((sum, { value }) => sum + ((value as { rules?: readonly unknown[] } | null)?.rules?.length ?? 0), 0);
}
