/**
 * What the traffic itself says of an origin: it is held out of use for a while after dials failed, longer each time, and
 * returns through a connection that is tried, or through its check. Pure: a phase and an event give the next phase.
 * Called by origin-health.ts.
 *
 *            failing               over                   ok, well
 *     open ──────────▶ held ────────────────────▶ trial ──────────▶ open
 *       ▲                │ ▲                        │
 *       │ over-proven,   │ └────────── failed ──────┘
 *       │ well and well  │
 *       ├────────────────┤
 *       │                │ over-checked
 *       │ well           ▼
 *       └──────────── awaiting ─────── over ─────▶ trial
 */

/** limit: a restart of a program takes seconds; a machine's takes a minute. */
const HOLD_MS = { first: 5_000, max: 60_000 } as const;
/** limit: a check that has said nothing for so many intervals is not waited for. */
const SILENT_INTERVALS = 3;

export const TRAFFIC_PHASES = ['open', 'held', 'awaiting', 'trial'] as const;
type Phase = (typeof TRAFFIC_PHASES)[number];

/**
 * `failing`: dials fail too often. `ok`, `failed`: how a dial ended. `over`: the time of the phase is over, and no check can
 * say how the origin is; `over-checked`: one can; `over-proven`: one has found it well meanwhile. `well`, `ill`: what a check
 * finds. `recovered`: a check that found it ill finds it well for good.
 */
export const TRAFFIC_EVENTS = [
  'failing',
  'ok',
  'failed',
  'over',
  'over-checked',
  'over-proven',
  'well',
  'ill',
  'recovered',
] as const;
export type TrafficEvent = (typeof TRAFFIC_EVENTS)[number];

const NEXT: Readonly<Record<Phase, Readonly<Partial<Record<TrafficEvent, Phase>>>>> = {
  open: { failing: 'held' },
  held: { over: 'trial', 'over-checked': 'awaiting', 'over-proven': 'open', recovered: 'open' },
  awaiting: { well: 'open', recovered: 'open', over: 'trial' },
  // A trial without an outcome is told once more: its connection may have ended before the dial did.
  trial: { ok: 'open', well: 'open', recovered: 'open', failed: 'held', over: 'trial' },
};

export interface Traffic {
  readonly phase: Phase;
  readonly since: number;
  /** When the phase is over; never, where it is open. */
  readonly until: number | undefined;
  /** How many holds came before, without a long time in use between them. */
  readonly holds: number;
  /** How often in a row a check has found the origin well, up to now, since the hold began. */
  readonly wells: number;
}

export const openSince = (since: number): Traffic => ({
  phase: 'open',
  since,
  until: undefined,
  holds: 0,
  wells: 0,
});

/** Of a check that can say how the origin is. */
export interface CheckTimes {
  readonly intervalMs: number;
  /** So many good results in a row end a hold, however long it was to be. */
  readonly rise: number;
}

export function afterEvent(before: Traffic, event: TrafficEvent, at: number, check: CheckTimes | undefined): Traffic {
  const phase = NEXT[before.phase][event];
  if (phase === undefined) return found(before, event, at, check);
  const { holds } = before;
  if (phase === 'open') return { ...openSince(at), holds };
  if (phase === 'trial') return { ...before, phase, since: at, until: at + holdMs(holds - 1) };
  if (phase === 'awaiting')
    return { ...before, phase, since: at, until: at + SILENT_INTERVALS * (check?.intervalMs ?? 0) };
  // Long in use: what was before does not count any more.
  const earlier = before.phase === 'open' && at - before.since >= HOLD_MS.max ? 0 : holds;
  return { phase, since: at, until: at + holdMs(earlier), holds: Math.min(earlier + 1, MOST_HOLDS), wells: 0 };
}

/** The newest finding of a check during a hold is what counts when the hold is over. */
function found(before: Traffic, event: TrafficEvent, at: number, check: CheckTimes | undefined): Traffic {
  if (before.phase !== 'held' || (event !== 'well' && event !== 'ill')) return before;
  const wells = event === 'well' ? before.wells + 1 : 0;
  // not: after so much time. A check that finds it well and ill in turn would bring a flap back again and again.
  if (check && wells >= check.rise) return { ...openSince(at), holds: before.holds };
  return { ...before, wells };
}

/** After so many, holds grow no more. */
const MOST_HOLDS = 1 + Math.ceil(Math.log2(HOLD_MS.max / HOLD_MS.first));

const holdMs = (holds: number): number => Math.min(HOLD_MS.first * 2 ** Math.max(holds, 0), HOLD_MS.max);

/** As read from a file: within what this file itself could have made. */
export function bounded(traffic: Traffic, at: number): Traffic {
  const holds = Math.min(Math.max(Math.trunc(traffic.holds), 0), MOST_HOLDS);
  const since = Math.min(traffic.since, at);
  if (traffic.phase === 'open') return { ...openSince(since), holds };
  return { ...traffic, since, holds, until: Math.min(traffic.until ?? at, at + HOLD_MS.max) };
}
