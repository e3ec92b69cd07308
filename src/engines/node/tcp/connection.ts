/**
 * One TCP connection from accept to its record: accept → admit → choose and dial (origin.ts) → announce → relay (relay.ts) →
 * record. Bytes that the client sends before an origin is connected stay unread in the system, so a second origin gets all of
 * them, once. Made by serve() for each accepted socket of rule.ts.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../../lib/clock.ts';
import type { EndCause } from '../../../domain/fact/fact.ts';
import { CONNECTION_DESCRIPTORS, SEGMENT_BYTES } from '../../flow/behaviour.ts';
import { countDrop } from '../../flow/counters.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import type { SourcePorts } from '../../flow/source-ports.ts';
import { drainMs } from '../../flow/verdict.ts';
import { PASS_THROUGH } from '../../pass-through/index.ts';
import { plainAddress, type Endpoint } from '../../pass-through/pass-through.ts';
import type { Admission } from '../admission.ts';
import type { Budget, Waiting } from '../budget.ts';
import { reachOrigin, type Reached } from './origin.ts';
import { relay } from './relay.ts';
import { reset } from './reset.ts';
import type { RuleState } from '../rule-state.ts';
import type { Session } from '../sessions.ts';

export interface ConnectionDeps {
  readonly rule: RuleState;
  readonly budget: Budget;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly sources: SourcePorts | undefined;
  /** A connection is in here from its accept to its record. */
  readonly live: Set<Connection>;
  readonly isBound: (point: BindPoint) => boolean;
}

/** The client arrives paused. */
export function serve(client: Socket, point: BindPoint, deps: ConnectionDeps): void {
  const { remoteAddress, remotePort = 0 } = client;
  // The client was gone before it could be served; an error of its socket must not throw.
  if (remoteAddress === undefined) return void client.on('error', () => {}).destroy();
  new Connection(client, { address: plainAddress(remoteAddress), port: remotePort }, point, deps).admit();
}

export class Connection {
  readonly #session: Session;
  readonly #point: BindPoint;
  readonly #client: Socket;
  readonly #deps: ConnectionDeps;
  /** Monotonic milliseconds. */
  readonly #startedAt: number;
  #origin: Socket | undefined;
  #descriptors = 1;
  /** Waits and dials that are under way before there is an origin. */
  #waiting: Waiting | undefined;
  #patience: Timer | undefined;
  #reaching: { cancel(): void } | undefined;
  #isOver = false;

  constructor(client: Socket, from: Endpoint, point: BindPoint, deps: ConnectionDeps) {
    this.#client = client;
    this.#point = point;
    this.#deps = deps;
    this.#startedAt = deps.clock.monotonic();
    this.#session = deps.rule.sessions.open(from, entryOf(client, point));
    client.on('error', () => {
      if (!this.#origin) this.end('client-reset');
    });
  }

  /** Waits for its descriptors, if need be as long as a dial may take. */
  admit(): void {
    const { rule, budget, admission, clock, live } = this.#deps;
    const { address } = this.#session.client;
    const isAdmitted = admission.admits(address, live.size * CONNECTION_DESCRIPTORS);
    live.add(this);
    budget.hold();
    admission.add(address, CONNECTION_DESCRIPTORS);
    this.#waiting = isAdmitted ? budget.queue(() => this.#reach()) : undefined;
    if (!this.#waiting) return this.end('limit');
    if (this.#descriptors > 1) return;
    countDrop(rule.counters, 'wait-descriptors');
    this.#patience = clock.after(rule.listener.options.connectTimeoutMs, () => this.end('limit'));
  }

  /** After a change of the rule. */
  judge(): void {
    const { rule, isBound } = this.#deps;
    const { origin, entry } = this.#session;
    const keeps = rule.targets.keeps(origin, entry.port, isBound(this.#point));
    rule.sessions.judge(this.#session, keeps, drainMs(rule.listener.options.drain));
  }

  /** Ends it where its time is over; writes the minute's record. */
  endDue(): void {
    const cause = this.#deps.rule.sessions.due(this.#session);
    if (cause) this.end(cause);
  }

  /** Ends it where its origin is down and its rule does not keep it. False: it goes on. */
  leaveDown(): boolean {
    const { rule, clock } = this.#deps;
    const { origin } = this.#session;
    if (!origin || clock.monotonic() < rule.targets.leavesAt(origin, this.#startedAt)) return false;
    this.end('unhealthy');
    return true;
  }

  /**
   * Ends a dial whose client has reset the connection.
   * not: reading. An unread socket tells a writer of a reset, even where nothing is written, even behind its end.
   */
  probe(): void {
    if (!this.#origin) this.#client.write('');
  }

  /** Resets both sides and records. Twice is fine. */
  end(cause: EndCause): void {
    if (this.#isOver) return;
    this.#waiting?.cancel();
    this.#reaching?.cancel();
    reset(this.#client);
    if (this.#origin) reset(this.#origin);
    this.#finish(cause);
  }

  #reach(): void {
    this.#descriptors = CONNECTION_DESCRIPTORS;
    this.#patience?.cancel();
    const { client } = this.#session;
    this.#reaching = reachOrigin(client.address, this.#point.port, this.#deps, (reached) => this.#reached(reached));
  }

  #reached(reached: Reached): void {
    if ('failed' in reached) return this.end(reached.failed);
    const { origin, socket } = reached;
    const { rule } = this.#deps;
    this.#origin = socket;
    this.#session.origin = origin;
    rule.targets.settle(this.#session.client.address, origin.address);
    // The rule may have changed during the dial.
    this.judge();
    const how = PASS_THROUGH[rule.listener.mode];
    if (how.carrier === 'start') socket.write(how.announce('TCP', this.#session.client, this.#session.entry));
    this.#relay(socket);
  }

  #relay(origin: Socket): void {
    const { rule, clock } = this.#deps;
    const { counters } = rule;
    const session = this.#session;
    relay(this.#client, origin, clock, {
      in(bytes) {
        session.activity++;
        session.bytesIn += bytes;
        counters.bytesIn += bytes;
        counters.packetsIn += Math.ceil(bytes / SEGMENT_BYTES);
      },
      out(bytes) {
        session.activity++;
        session.bytesOut += bytes;
        counters.bytesOut += bytes;
        counters.packetsOut += Math.ceil(bytes / SEGMENT_BYTES);
      },
      over: (cause) => {
        const isUnused = session.bytesIn + session.bytesOut === 0;
        if (cause === 'origin-reset' && isUnused && session.origin) rule.tell(session.origin.address, cause);
        this.#finish(cause);
      },
    });
  }

  #finish(cause: EndCause): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#patience?.cancel();
    const { rule, budget, admission, live } = this.#deps;
    rule.sessions.close(this.#session, cause);
    budget.release(this.#descriptors);
    admission.add(this.#session.client.address, -CONNECTION_DESCRIPTORS);
    live.delete(this);
  }
}

/** The address and port that the client dialled: the bound ones; where a wildcard is bound, the system says which. */
function entryOf(client: Socket, point: BindPoint): Endpoint {
  const isWildcard = point.address === '0.0.0.0' || point.address === '::';
  const address = isWildcard ? plainAddress(client.localAddress ?? point.address) : point.address;
  return { address, port: point.port };
}
