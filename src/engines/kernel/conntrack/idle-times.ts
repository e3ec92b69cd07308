/**
 * Applies a changed idle time to connections that are open already. The kernel gives a connection its time-outs when it begins
 * and starts them again with each packet, so connections of an earlier setting are watched until they are gone: one that has
 * been silent for longer than it now may be is ended, and one that the kernel would forget too early is kept. A change by an
 * engine before this one is not known here. Called by the monitor.
 */
import type { Clock } from '../../../lib/clock.ts';
import type { EndCause } from '../../../domain/fact/fact.ts';
import { type Flow, TCP_STATE } from '../../../linux/netlink/conntrack.ts';
import { isOver } from '../table/marks.ts';

/** A rule, as far as its idle time goes. */
interface IdleRule {
  readonly indices: readonly number[];
  readonly isUp: boolean;
  readonly settings: { readonly idleSeconds: number } | undefined;
}

interface IdleDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly rules: () => Iterable<IdleRule>;
  readonly conntrack: {
    flows(indices: Iterable<number>): readonly Flow[];
    keep(flows: readonly { readonly flow: Flow; readonly seconds: number }[]): void;
  };
  readonly end: (flows: readonly Flow[], cause: EndCause) => void;
}

/** An earlier idle time, of connections that began before `before` (milliseconds since 1970). */
interface Past {
  readonly before: number;
  readonly seconds: number;
  /** Connections that have it too though they began later, between two looks; undefined until there was a look. */
  doubtful: ReadonlySet<number> | undefined;
}

interface Seen {
  readonly packets: number;
  /** Monotonic milliseconds of its last packet, or a little later. */
  readonly since: number;
}

/** limit: looking takes a fiftieth of one core at most; milliseconds between two looks. */
const LOOK = { least: 500, most: 5_000, share: 50 } as const;
/** limit: a connection is kept when the kernel would forget it within this time, which is more than two looks. */
const SOON_SECONDS = 12;
/** nf_conntrack_tcp_timeout_unacknowledged and _max_retrans: the most that is left while an answer is missing. */
const UNANSWERED_SECONDS = 300;

export function createIdleTimes({ clock, rules, conntrack, end }: IdleDeps) {
  /** As at the last look. */
  const current = new WeakMap<IdleRule, number>();
  const changed = new Map<IdleRule, Past[]>();
  /** By conntrack id, of connections that are watched. */
  let seen = new Map<number, Seen>();
  let last = clock.now();
  let next = 0;

  function note(of: Iterable<IdleRule> = rules()): void {
    for (const rule of of) {
      const before = current.get(rule);
      const now = rule.settings?.idleSeconds;
      if (now === undefined || before === now) continue;
      current.set(rule, now);
      if (before === undefined) continue;
      const past = { before: last, seconds: before, doubtful: undefined };
      changed.set(rule, [...(changed.get(rule) ?? []), past]);
      next = 0;
    }
  }

  function attendTo(rule: IdleRule, pasts: readonly Past[], watched: Map<number, Seen>): void {
    const wanted = rule.settings?.idleSeconds;
    const [silent, kept]: [Flow[], { flow: Flow; seconds: number }[]] = [[], []];
    let hasOld = false;
    const flows = conntrack.flows(rule.indices);
    for (const past of pasts) past.doubtful ??= doubtful(flows, past, wanted ?? past.seconds);
    for (const flow of flows) {
      const isOf = ({ before, doubtful }: Past): boolean => startOf(flow) < before || doubtful?.has(flow.id) === true;
      const own = pasts.find(isOf)?.seconds;
      if (own === undefined || isOver(flow)) continue;
      hasOld = true;
      if (wanted === undefined || wanted === own || !isIdling(flow)) continue;
      const now = clock.monotonic();
      const one = lookAt(flow, own, now, seen.get(flow.id));
      watched.set(flow.id, one);
      const quiet = (now - one.since) / 1000;
      if (quiet >= wanted) silent.push(flow);
      else if (flow.timeout < Math.min(SOON_SECONDS, wanted - quiet - 1))
        kept.push({ flow, seconds: Math.ceil(wanted - quiet) });
    }
    if (!hasOld) changed.delete(rule);
    if (kept.length > 0) conntrack.keep(kept);
    if (silent.length > 0) end(silent, 'idle');
  }

  return {
    /** To be called before a rule changes, too. */
    note,
    attend(): void {
      note();
      last = clock.now();
      const start = clock.monotonic();
      if (changed.size === 0 || start < next) return;
      const living = new Set(rules());
      const watched = new Map<number, Seen>();
      for (const [rule, pasts] of changed)
        if (living.has(rule) && rule.isUp) attendTo(rule, pasts, watched);
        else changed.delete(rule);
      seen = watched;
      next = start + Math.max(LOOK.least, Math.min(LOOK.most, (clock.monotonic() - start) * LOOK.share));
    },
  };
}

/** Since when a connection is silent: what was known, as long as nothing came; else what its time-out says for certain. */
export function lookAt({ packetsIn, packetsOut, timeout, state }: Flow, own: number, now: number, known?: Seen): Seen {
  const packets = packetsIn + packetsOut;
  if (known?.packets === packets) return known;
  const full = state !== TCP_STATE.none && timeout <= UNANSWERED_SECONDS ? Math.min(own, UNANSWERED_SECONDS) : own;
  return { packets, since: now - Math.max(0, full - timeout) * 1000 };
}

const startOf = ({ startedAt = Infinity }: Flow): number => startedAt;

/** Young connections have nearly all of their time left, which tells one idle time from the other. */
function doubtful(flows: readonly Flow[], { before, seconds }: Past, wanted: number): ReadonlySet<number> {
  const isOld = ({ timeout }: Flow): boolean => (wanted < seconds ? timeout > wanted : timeout <= seconds);
  return new Set(
    flows.filter((flow) => startOf(flow) >= before && startOf(flow) < Infinity && isOld(flow)).map(({ id }) => id),
  );
}

/** Its time-out is the idle time; a connection that opens or closes has another one. */
function isIdling({ state }: Flow): boolean {
  return (
    state === TCP_STATE.none ||
    state === TCP_STATE.established ||
    state === TCP_STATE.finWait ||
    state === TCP_STATE.closeWait
  );
}
