/**
 * One rule on this engine: its listening sockets, its connections and UDP sessions, and how all of them follow a change
 * of the rule. Rules know nothing of each other. Made and kept by rules.ts.
 */
import type { Clock } from '../../lib/clock.ts';
import type { EndCause } from '../../domain/fact/fact.ts';
import type { Inherited } from '../../handoff/inherited.ts';
import { isHeldByUs } from '../../linux/udp-holders.ts';
import type { Applied, Listener } from '../engine.ts';
import { bindReason } from '../flow/causes.ts';
import type { LiveCounters } from '../flow/counters.ts';
import { bindPoints, type BindPoint } from '../flow/endpoints.ts';
import type { SourcePorts } from '../flow/source-ports.ts';
import type { Admission } from './admission.ts';
import { bindTcp } from './bind.ts';
import { BoundPoints } from './bound-points.ts';
import type { Budget } from './budget.ts';
import { serve, type Connection, type ConnectionDeps } from './tcp/connection.ts';
import { RuleState, type RuleStateDeps } from './rule-state.ts';
import { UdpSide } from './udp/udp-side.ts';

interface NodeRuleDeps extends RuleStateDeps {
  readonly clock: Clock;
  readonly budget: Budget;
  readonly admission: Admission;
  readonly mostUdpSessions: number;
  /** Undefined: the system chooses the ports that are dialled from. */
  readonly sources: SourcePorts | undefined;
  /** Sockets of the process before this one; they are served once `begun`. */
  readonly inherited: Inherited | undefined;
  readonly begun: Promise<void> | undefined;
}

export class NodeRule {
  readonly #state: RuleState;
  readonly #udp: UdpSide;
  readonly #bound: BoundPoints;
  readonly #live = new Set<Connection>();

  constructor(listener: Listener, counters: LiveCounters, deps: NodeRuleDeps) {
    const { budget, admission, clock, sources, inherited, begun, mostUdpSessions } = deps;
    const rule = new RuleState(listener, counters, deps);
    const udp = new UdpSide(rule, { budget, admission, mostUdpSessions, monotonic: () => clock.monotonic() });
    const isBound = (point: BindPoint): boolean => this.#bound.has(point);
    const serving: ConnectionDeps = { rule, budget, admission, clock, sources, live: this.#live, isBound };
    const open = (point: BindPoint, fd?: number): Promise<(cause: EndCause) => void> =>
      point.protocol === 'TCP' ? openTcp(point, serving, fd) : udp.open(point, fd);
    this.#state = rule;
    this.#udp = udp;
    this.#bound = new BoundPoints({ open, budget, inherited, begun });
  }

  get counters(): LiveCounters {
    return this.#state.counters;
  }

  /** Connections that still live; UDP sessions end with their sockets. */
  get connections(): number {
    return this.#live.size;
  }

  async apply(listener: Listener): Promise<Applied> {
    this.#state.update(listener);
    const wanted = bindPoints(listener);
    // order: new sockets before old ones go, so a change never leaves a moment with neither.
    const failure = await this.#bound.bind(wanted.values());
    if (failure) {
      this.close();
      return { ok: false, reason: bindReason(failure.code, failure.point, wanted.size, isHeldByUs) };
    }
    this.#bound.unbind('drained', wanted);
    this.#judge();
    return { ok: true };
  }

  /** Sockets close now and UDP sessions end; connections drain as the rule says. */
  close(): void {
    this.#bound.unbind('drained');
    this.#judge();
  }

  /** Sockets close now and UDP sessions end with this cause; connections go on. */
  unlisten(cause: EndCause): void {
    this.#bound.unbind(cause);
  }

  /** Now and then. */
  sweep(): void {
    for (const connection of this.#live) connection.probe();
    this.#endDue();
  }

  /** Ends connections with origins that are down, as the rule says, so many at most. Gives how many. */
  leaveDown(most: number): number {
    if (this.#state.listener.options.unhealthy === 'keep') return 0;
    let ended = 0;
    for (const connection of this.#live) {
      if (ended === most) break;
      if (connection.leaveDown()) ended++;
    }
    return ended;
  }

  endAll(cause: EndCause): void {
    for (const connection of this.#live) connection.end(cause);
  }

  #judge(): void {
    this.#udp.judge();
    for (const connection of this.#live) connection.judge();
    this.#endDue();
  }

  #endDue(): void {
    this.#udp.endDue();
    for (const connection of this.#live) connection.endDue();
  }
}

async function openTcp(point: BindPoint, serving: ConnectionDeps, fd: number | undefined): Promise<() => void> {
  const { budget } = serving;
  const server = await bindTcp(point, (client) => serve(client, point, serving), fd);
  budget.hold();
  return () => {
    server.close();
    budget.release();
  };
}
