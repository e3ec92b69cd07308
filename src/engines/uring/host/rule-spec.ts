/**
 * A rule as a worker is told of it. It refuses to decide how ports are bound (ranges.ts, bind.ts) and keeps only
 * the inherited sessions, which are handed to a worker once.
 */
import { socketNumber } from '../../../handoff/listeners.ts';
import type { Inheritance, Listener } from '../../engine.ts';
import { originPort } from '../../flow/endpoints.ts';
import type { EntrySpec, RuleSpec, WorkerSession } from '../worker/messages.ts';
import { turnsOf } from '../worker/schedule.ts';
import type { BoundPoint } from './listening-sockets.ts';
import type { ServedRule } from './served-rules.ts';

export class RuleSpecs {
  readonly #sessions: Inheritance['sessions'] | undefined;

  constructor(sessions: Inheritance['sessions'] | undefined) {
    this.#sessions = sessions;
  }

  /** `isRange`: its sockets take other ports than their own. `before`: what the rule was; its sockets are served still. */
  of(rule: ServedRule, worker: number, isRange: boolean, before?: Listener): RuleSpec {
    const { listener } = rule;
    const { protocol, mode, targets, persistSeconds, failover, options, ports, originPorts } = listener;
    return {
      index: rule.index,
      protocol,
      mode,
      targets,
      turns: turnsOf(targets),
      originPorts,
      persistSeconds,
      failover,
      options,
      entries: entriesOf(rule.points.values(), worker, before ? [listener, before] : [listener]).map((entry) =>
        protocol === 'UDP' ? { ...entry, sessions: this.#sessionsOf(entry.fd) } : entry,
      ),
      range: isRange ? { ports, originPorts } : undefined,
      row: rule.rows[worker]!.buffer as SharedArrayBuffer,
      position: rule.position,
      persistence: rule.persistence,
    };
  }

  /** The inherited sessions of this socket, the first time that it is given to a worker. */
  #sessionsOf(fd: number): readonly WorkerSession[] {
    if (!this.#sessions || this.#sessions.size === 0) return [];
    const number = socketNumber(fd) ?? 0;
    const sessions = this.#sessions.get(number) ?? [];
    this.#sessions.delete(number);
    return sessions.map((session) => ({ ...session, entryFd: fd }));
  }
}

/** A worker's sockets, each with the origin port that the first of these listeners gives it; without one it is left out. Pure. */
export function entriesOf(
  points: Iterable<BoundPoint>,
  worker: number,
  listeners: readonly Pick<Listener, 'ports' | 'originPorts'>[],
): EntrySpec[] {
  const entries: EntrySpec[] = [];
  for (const { point, fds } of points) {
    const { address, port } = point;
    const to = listeners
      .map(({ ports, originPorts }) => originPort(ports, originPorts, port))
      .find((one) => one !== undefined);
    if (to === undefined) continue;
    for (const fd of fds[worker] ?? []) entries.push({ fd, address, port, originPort: to });
  }
  return entries;
}
