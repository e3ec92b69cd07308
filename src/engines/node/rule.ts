/**
 * One rule on this engine: its listening sockets, its connections and UDP sessions, and how all of them follow a change
 * of the rule. Rules know nothing of each other.
 */
import type { Clock } from '../../lib/clock.ts';
import type { EndCause } from '../../domain/fact/fact.ts';
import type { Applied, Listener } from '../engine.ts';
import type { Inherited } from '../../handoff/inherited.ts';
import type { Admission } from './admission.ts';
import { isHeldByUs } from '../../linux/udp-holders.ts';
import { bindReason } from '../flow/causes.ts';
import type { LiveCounters } from '../flow/counters.ts';
import { bindPoints, type BindPoint } from '../flow/endpoints.ts';
import type { Budget } from '../flow/budget.ts';
import { createRuleFlow, type RuleFlowDeps } from './rule-flow.ts';
import type { SourcePorts } from '../flow/source-ports.ts';
import { bindEach, bindTcp, type BindFailure } from './bind.ts';
import { serve, type Connection, type ConnectionDeps } from './connection.ts';
import { createUdpSide } from './udp.ts';

export interface NodeRule {
  readonly counters: LiveCounters;
  /** Connections that still live; UDP sessions end with their sockets. */
  readonly connections: number;
  apply(listener: Listener): Promise<Applied>;
  /** Sockets close now and UDP sessions end; connections drain as the rule says. */
  close(): void;
  /** Sockets close now and UDP sessions end with this cause; connections go on. */
  unlisten(cause: EndCause): void;
  /** Now and then. */
  sweep(): void;
  endAll(cause: EndCause): void;
}

interface NodeRuleDeps extends RuleFlowDeps {
  readonly clock: Clock;
  readonly budget: Budget;
  readonly admission: Admission;
  readonly mostUdpSessions: number;
  /** None: the system chooses. */
  readonly sources: SourcePorts | undefined;
  /** Sockets of the process before this one; they are served once `begun`. */
  readonly inherited?: Inherited | undefined;
  readonly begun?: Promise<void> | undefined;
}

export function createNodeRule(first: Listener, counters: LiveCounters, deps: NodeRuleDeps): NodeRule {
  const { budget, admission, clock, sources } = deps;
  const flow = createRuleFlow(first, counters, deps);
  const udp = createUdpSide(flow, deps);
  const live = new Set<Connection>();
  /** Bound address and port → how to close it. */
  const bound = new Map<string, (cause: EndCause) => void>();
  const serving: ConnectionDeps = {
    flow,
    budget,
    admission,
    clock,
    sources,
    live,
    isBound: (point) => bound.has(point.key),
  };

  async function bind(point: BindPoint): Promise<void> {
    const open = (fd?: number) => (point.protocol === 'TCP' ? openTcp(point, fd) : udp.open(point, fd));
    const sockets = deps.inherited?.take(point.key) ?? [];
    if (sockets.length === 0) return void bound.set(point.key, await open());
    // All of them: the system goes on putting connections into each.
    const opening = (deps.begun ?? Promise.resolve()).then(() => Promise.all(sockets.map(({ fd }) => open(fd))));
    // order: one that nobody wants any more by then is opened and closed in one turn, and takes nothing.
    bound.set(point.key, (cause) => void opening.then((closes) => closes.forEach((close) => close(cause))));
    if (!deps.begun) await opening;
  }

  async function openTcp(point: BindPoint, fd?: number): Promise<() => void> {
    const server = await bindTcp(point, (client) => serve(client, point, serving), fd);
    budget.hold();
    return () => {
      server.close();
      budget.release();
    };
  }

  /** Listening must leave something to serve with: a range that would eat up the descriptors is out of descriptors. */
  function tooMany([point, ...rest]: readonly BindPoint[]): BindFailure | undefined {
    return point && rest.length + 1 > budget.room ? { point, code: 'EMFILE' } : undefined;
  }

  function unbind(cause: EndCause, keep: { has(key: string): boolean } = new Set()): void {
    for (const [key, close] of bound) {
      if (keep.has(key)) continue;
      bound.delete(key);
      close(cause);
    }
  }

  function judge(): void {
    udp.reconcile();
    for (const connection of live) flow.judge(connection.session, bound.has(connection.point.key));
    endDue();
  }

  function endDue(): void {
    for (const connection of live) {
      const cause = flow.check(connection.session);
      if (cause) connection.end(cause);
    }
  }

  function close(): void {
    unbind('drained');
    judge();
  }

  return {
    counters,
    get connections() {
      return live.size;
    },
    async apply(listener) {
      flow.update(listener);
      const wanted = bindPoints(listener);
      // order: new sockets before old ones go, so a change never leaves a moment with neither.
      const missing = [...wanted.values()].filter(({ key }) => !bound.has(key));
      const failure = tooMany(missing) ?? (await bindEach(missing, bind));
      if (failure) {
        close();
        return { ok: false, reason: bindReason(failure.code, failure.point, wanted.size, isHeldByUs) };
      }
      unbind('drained', wanted);
      judge();
      return { ok: true };
    },
    close,
    unlisten: (cause) => unbind(cause),
    sweep() {
      udp.sweep();
      for (const connection of live) connection.probe();
      endDue();
    },
    endAll(cause) {
      for (const connection of live) connection.end(cause);
    },
  };
}
