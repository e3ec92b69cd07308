/**
 * UDP sessions in the words of handoff: an edge says which it hands over, and the next one reads that. Pure. A part that
 * does not read as a session is left out, and its descriptor told, because it must be closed. Called by edge-role.ts.
 */
import type { HandedSession } from '../../engines/engine.ts';
import * as is from '../../lib/check.ts';
import type { Part } from '../../handoff/predecessor.ts';
import { addressFamily } from '../../lib/net/address.ts';

type SessionFacts = Omit<HandedSession, 'fd'>;

const endpoint = is.fields({
  address: (value) => typeof value === 'string' && addressFamily(value) !== undefined,
  port: (value) => is.count(value) && (value as number) > 0 && (value as number) < 65_536,
});
const session = is.fields({ entry: is.count, client: endpoint, origin: endpoint });

export function factsOf({ entry, client, origin }: HandedSession): SessionFacts {
  return { entry, client, origin };
}

interface Sessions {
  /** By the socket that their clients speak to. */
  readonly byEntry: ReadonlyMap<number, readonly HandedSession[]>;
  readonly rest: readonly number[];
}

export function readSessions(parts: readonly Part[]): Sessions {
  const byEntry = new Map<number, HandedSession[]>();
  const rest: number[] = [];
  for (const { descriptors, facts } of parts)
    for (const [i, fd] of descriptors.entries()) {
      const fact: unknown = Array.isArray(facts) ? facts[i] : undefined;
      if (!session(fact)) rest.push(fd);
      else {
        const handed = { ...(fact as SessionFacts), fd };
        const beside = byEntry.get(handed.entry);
        if (beside) beside.push(handed);
        else byEntry.set(handed.entry, [handed]);
      }
    }
  return { byEntry, rest };
}
