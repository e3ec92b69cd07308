/**
 * One rule on the data plane, without its sockets: which target takes a connection, which sessions exist by its counters,
 * which of them must end and what is recorded of them. Pure: time, randomness and the sink of records are arguments.
 * Each engine has one of these per listener.
 */
import type { ConnectionRecord, EndCause } from '../../domain/fact/fact.ts';
import type { Listener, Target } from '../engine.ts';
import type { Endpoint } from '../pass-through/pass-through.ts';
import { isBarred, whyNone } from '../flow/bars.ts';
import { RECORD_EVERY_MS, REST_MS } from '../flow/behaviour.ts';
import type { LiveCounters } from '../flow/counters.ts';
import { originPort } from '../flow/endpoints.ts';
import { createPersistence } from '../flow/persistence.ts';
import { createPicker } from '../flow/pick.ts';
import type { Session } from '../flow/session.ts';
import { deadlineAfter, drainMs, DUE, dueAt, keepsPlace, NEVER } from '../flow/verdict.ts';

export interface RuleFlowDeps {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  monotonic(): number;
  uuid(): string;
  record(record: ConnectionRecord): void;
}

export interface RuleFlow {
  readonly listener: Listener;
  readonly counters: LiveCounters;
  update(listener: Listener): void;
  /** The target of a new session of this client, to be dialled at `port`; `tried` are out of the question. */
  choose(client: string, port: number, tried?: ReadonlySet<string>): Target | undefined;
  /** What to say where there is none. */
  readonly whyNone: ReturnType<typeof whyNone>;
  /** The client's session is with this target: from now on its persistence, if the rule has any. */
  settle(client: string, address: string): void;
  /** The client's target failed: persistence must not send it there again. */
  forget(client: string): void;
  /** The target's host says that nobody listens there: for a while it takes new sessions only where no other one can. */
  rest(address: string): void;
  /** Whether a target other than this one takes new sessions at this port, and does not rest. */
  hasOther(address: string, port: number): boolean;
  originPort(port: number): number | undefined;
  open(client: Endpoint, entry: Endpoint): Session;
  close(session: Session, cause: EndCause): void;
  /** The session's origin is one that its name no longer says. */
  hasLeft(session: Session): boolean;
  /** After a change. A session whose entry is bound and whose origin is still the rule's stays; others are to drain. */
  judge(session: Session, bound: boolean): 'stays' | 'drains';
  /** Now and then: writes the minute's record, and says whether the session must end. */
  check(session: Session): 'idle' | 'drained' | undefined;
}

export function createRuleFlow(first: Listener, counters: LiveCounters, deps: RuleFlowDeps): RuleFlow {
  const picker = createPicker();
  const persistence = createPersistence();
  let listener = first;
  let targets = new Map<string, Target>();
  /** Address → until when it rests. */
  const resting = new Map<string, number>();
  update(first);

  function update(next: Listener): void {
    listener = next;
    targets = new Map(next.targets.map((target) => [target.address, target]));
    picker.update(next.targets);
    persistence.setSeconds(next.persistSeconds);
  }

  function record(session: Session, end?: EndCause): void {
    if (session.id === undefined) return;
    deps.record({
      id: session.id,
      rule: listener.id,
      proxy: listener.proxy,
      protocol: session.protocol,
      client: session.client,
      entry: session.entry,
      ...(session.origin && { origin: session.origin }),
      startedAt: session.startedAt,
      at: deps.now(),
      bytesIn: session.bytesIn - session.recordedIn,
      bytesOut: session.bytesOut - session.recordedOut,
      ...(end && { end }),
    });
    session.recordAt = deps.monotonic() + RECORD_EVERY_MS;
    session.recordedIn = session.bytesIn;
    session.recordedOut = session.bytesOut;
  }

  function rests(address: string): boolean {
    const until = resting.get(address);
    if (until === undefined) return false;
    if (until > deps.monotonic() && targets.has(address)) return true;
    resting.delete(address);
    return false;
  }

  /** The next target, of those that rest only where there is no other. */
  function next(port: number, tried?: ReadonlySet<string>): Target | undefined {
    const passed = [...resting.keys()].filter(rests);
    if (passed.length === 0) return picker.next(tried, port);
    return picker.next(new Set([...passed, ...(tried ?? [])]), port) ?? picker.next(tried, port);
  }

  const takes = (target: Target, port: number): boolean =>
    target.weight > 0 && !isBarred(target, port) && !rests(target.address);

  const leadsTo = (port: number): number | undefined => originPort(listener.ports, listener.originPorts, port);

  return {
    get listener() {
      return listener;
    },
    counters,
    update,
    get whyNone() {
      return whyNone(listener.targets);
    },
    choose(client, port, tried) {
      const kept = persistence.recall(client, deps.monotonic());
      const target = kept === undefined ? undefined : targets.get(kept);
      return target && !tried?.has(kept!) && takes(target, port) ? target : next(port, tried);
    },
    settle: (client, address) => persistence.remember(client, address, deps.monotonic()),
    forget: (client) => persistence.forget(client),
    rest: (address) => void resting.set(address, deps.monotonic() + REST_MS),
    hasOther: (own, port) => listener.targets.some((target) => target.address !== own && takes(target, port)),
    originPort: leadsTo,
    open(client, entry) {
      const oneIn = listener.options.recordOneIn;
      const recorded = oneIn > 0 && counters.connections % oneIn === 0;
      counters.connections++;
      counters.active++;
      const now = deps.monotonic();
      return {
        id: recorded ? deps.uuid() : undefined,
        protocol: listener.protocol,
        client,
        entry,
        origin: undefined,
        startedAt: deps.now(),
        bytesIn: 0,
        bytesOut: 0,
        activity: 0,
        activityKnown: 0,
        quietSince: now,
        recordAt: recorded ? now + RECORD_EVERY_MS : NEVER,
        recordedIn: 0,
        recordedOut: 0,
        deadline: NEVER,
      };
    },
    close(session, cause) {
      counters.active--;
      counters.ends[cause] = (counters.ends[cause] ?? 0) + 1;
      if (session.id === undefined) (counters.unrecorded ??= { sampled: 0, lost: 0 }).sampled++;
      record(session, cause);
    },
    hasLeft: ({ origin }) => origin !== undefined && targets.get(origin.address)?.left === true,
    judge(session, bound) {
      const { origin, entry, deadline } = session;
      const stays = keepsPlace(bound, targets.get(origin?.address ?? ''), leadsTo(entry.port), origin?.port ?? 0);
      session.deadline = deadlineAfter(stays, drainMs(listener.options.drain), deps.monotonic(), deadline);
      return stays ? 'stays' : 'drains';
    },
    check(session) {
      const now = deps.monotonic();
      if (session.activity !== session.activityKnown) {
        session.activityKnown = session.activity;
        session.quietSince = now;
      }
      const idleAt = session.quietSince + listener.options.idleSeconds * 1000;
      const due = dueAt(now, session.deadline, idleAt, session.recordAt);
      if (due === DUE.record) record(session);
      return due === DUE.drained ? 'drained' : due === DUE.idle ? 'idle' : undefined;
    },
  };
}
