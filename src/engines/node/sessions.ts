/**
 * The sessions of one rule by its counters: each TCP connection and UDP session from its first count to its last record,
 * and when it must end. Pure: time, ids and the place of records are arguments. It refuses to know sockets and targets;
 * connection.ts and udp-table.ts open, judge and close.
 */
import type { Clock } from '../../lib/clock.ts';
import type { ConnectionRecord, EndCause } from '../../domain/fact/fact.ts';
import type { Protocol } from '../../domain/l4-rule/modes.ts';
import type { Listener } from '../engine.ts';
import type { Endpoint } from '../pass-through/pass-through.ts';
import { RECORD_EVERY_MS } from '../flow/behaviour.ts';
import type { LiveCounters } from '../flow/counters.ts';
import { deadlineAfter, DUE, dueAt, NEVER } from '../flow/verdict.ts';

/** Plain numbers, because chunks and datagrams touch them. */
export interface Session {
  /** Absent where records are off or this one is not in the sample. */
  readonly id: string | undefined;
  readonly protocol: Protocol;
  readonly client: Endpoint;
  readonly entry: Endpoint;
  /** Absent until an origin was reached. */
  origin: Endpoint | undefined;
  /** Wall clock, milliseconds. */
  readonly startedAt: number;
  bytesIn: number;
  bytesOut: number;
  /** Grows with every chunk or datagram, empty ones too: a session is idle while it stands still. */
  activity: number;
  readonly recorded: Recorded;
  readonly ending: Ending;
}

/** What the records so far tell, and when the next one is due (NEVER, if it has none). Only this file reads and writes it. */
interface Recorded {
  bytesIn: number;
  bytesOut: number;
  nextAt: number;
}

/** Monotonic milliseconds. Only this file reads and writes it. */
interface Ending {
  /** `activity` at the last look. */
  activity: number;
  quietSince: number;
  /** NEVER while nothing says that it must end. */
  deadline: number;
}

export interface SessionDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly uuid: () => string;
  readonly record: (record: ConnectionRecord) => void;
}

export class Sessions {
  readonly #deps: SessionDeps;
  readonly #counters: LiveCounters;
  #listener: Listener;

  constructor(listener: Listener, counters: LiveCounters, deps: SessionDeps) {
    this.#deps = deps;
    this.#counters = counters;
    this.#listener = listener;
  }

  update(listener: Listener): void {
    this.#listener = listener;
  }

  open(client: Endpoint, entry: Endpoint): Session {
    const { clock, uuid } = this.#deps;
    const oneIn = this.#listener.options.recordOneIn;
    const isRecorded = oneIn > 0 && this.#counters.connections % oneIn === 0;
    this.#counters.connections++;
    this.#counters.active++;
    const now = clock.monotonic();
    return {
      id: isRecorded ? uuid() : undefined,
      protocol: this.#listener.protocol,
      client,
      entry,
      origin: undefined,
      startedAt: clock.now(),
      bytesIn: 0,
      bytesOut: 0,
      activity: 0,
      recorded: { bytesIn: 0, bytesOut: 0, nextAt: isRecorded ? now + RECORD_EVERY_MS : NEVER },
      ending: { activity: 0, quietSince: now, deadline: NEVER },
    };
  }

  close(session: Session, cause: EndCause): void {
    const counters = this.#counters;
    counters.active--;
    counters.ends[cause] = (counters.ends[cause] ?? 0) + 1;
    if (session.id === undefined) (counters.unrecorded ??= { sampled: 0, lost: 0 }).sampled++;
    this.#record(session, cause);
  }

  /** After a change of the rule: a session that has lost its place in it has this long to go on. */
  judge({ ending }: Session, hasPlace: boolean, drainMs: number): void {
    ending.deadline = deadlineAfter(hasPlace, drainMs, this.#deps.clock.monotonic(), ending.deadline);
  }

  /** Now and then: writes the minute's record, and says whether the session must end, and why. */
  due(session: Session): 'idle' | 'drained' | undefined {
    const now = this.#deps.clock.monotonic();
    const { ending, recorded } = session;
    if (session.activity !== ending.activity) {
      ending.activity = session.activity;
      ending.quietSince = now;
    }
    const idleAt = ending.quietSince + this.#listener.options.idleSeconds * 1000;
    const due = dueAt(now, ending.deadline, idleAt, recorded.nextAt);
    if (due === DUE.record) this.#record(session);
    if (due === DUE.drained) return 'drained';
    return due === DUE.idle ? 'idle' : undefined;
  }

  #record(session: Session, end?: EndCause): void {
    const { id, protocol, client, entry, origin, startedAt, bytesIn, bytesOut, recorded } = session;
    if (id === undefined) return;
    const { clock, record } = this.#deps;
    record({
      id,
      rule: this.#listener.id,
      proxy: this.#listener.proxy,
      protocol,
      client,
      entry,
      ...(origin && { origin }),
      startedAt,
      at: clock.now(),
      bytesIn: bytesIn - recorded.bytesIn,
      bytesOut: bytesOut - recorded.bytesOut,
      ...(end && { end }),
    });
    recorded.nextAt = clock.monotonic() + RECORD_EVERY_MS;
    recorded.bytesIn = bytesIn;
    recorded.bytesOut = bytesOut;
  }
}
