/**
 * States of origins as JSON, so that a restart or an upgrade sends no traffic to an origin that is known to be dead. Pure:
 * it reads no file. A reader of untrusted text: an entry that could not have been written here is left out, and numbers are
 * brought within what this version allows. Called by the agent's health part, around OriginHealth.
 */
import { type Check, fields, flag, listOf, oneOf, optional, shortText, text } from '../../lib/check.ts';
import { ORIGIN_STATES, PROBE_VERDICTS, STATE_CAUSES } from '../../domain/fact/health.ts';
import { DialWindow } from './dial-window.ts';
import { MOST_RISE_FACTOR, type Origin } from './origin.ts';
import { bounded, TRAFFIC_PHASES } from './traffic-phase.ts';

/** Two clocks at one moment: monotonic time starts anew with each process. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** not: what others find. It is in the verdict where this edge has none of its own. */
type KeptOrigin = Omit<Origin, 'target' | 'dials' | 'others'>;
interface Kept {
  readonly at: Moment;
  readonly origins: readonly KeptOrigin[];
}

/** limit: more would not come from a sane file; 10,000 are remembered, and as many again may be in use. */
const MOST_ORIGINS = 100_000;
const LONGEST_TEXT = 512;
const MOST_RUN = 1_000_000;

/** limit: milliseconds of thirty thousand years; sums of such are exact enough, and never infinite. */
const number: Check = (value) => Number.isFinite(value) && Math.abs(value as number) <= 1e15;
const short = shortText(LONGEST_TEXT);
const within =
  (least: number, most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && least <= (value as number) && (value as number) <= most;

const MOMENT = fields({ monotonic: number, wall: number } satisfies Record<keyof Moment, Check>);
const FILE = fields({ at: MOMENT, origins: listOf(() => true) } satisfies Record<keyof Kept, Check>);
const ORIGIN = fields({
  name: short,
  check: optional(fields({ key: short, intervalMs: number, rise: number, fall: number })),
  verdict: fields({
    verdict: oneOf(PROBE_VERDICTS),
    isFresh: flag,
    against: oneOf(PROBE_VERDICTS),
    run: within(0, MOST_RUN),
  }),
  traffic: fields({
    phase: oneOf(TRAFFIC_PHASES),
    since: number,
    until: optional(number),
    holds: number,
    wells: within(0, MOST_RUN),
  }),
  override: optional(fields({ state: oneOf(['up', 'down']), until: optional(number) })),
  own: fields({ state: oneOf(ORIGIN_STATES), since: number, riseFactor: within(1, MOST_RISE_FACTOR) }),
  told: fields({
    state: oneOf(ORIGIN_STATES),
    since: number,
    cause: fields({ by: oneOf(STATE_CAUSES), reason: text }),
    isBack: optional(oneOf([true])),
  }),
} satisfies Record<keyof KeptOrigin, Check>);

export function keep(origins: Iterable<Origin>, at: Moment): Kept {
  return {
    at,
    origins: Array.from(origins, ({ name, check, verdict, traffic, override, own, told }) => ({
      name,
      check,
      verdict,
      traffic,
      override,
      own,
      told,
    })),
  };
}

/** As the origins would be now, had the process gone on; none where the text is damaged. */
export function readKept(value: unknown, now: Moment): Origin[] {
  if (!FILE(value)) return [];
  const { at, origins } = value as Kept;
  const gone = Math.max(now.wall - at.wall, 0);
  const shift = now.monotonic - gone - at.monotonic;
  const sound = origins.slice(0, MOST_ORIGINS).filter((origin) => ORIGIN(origin));
  return sound.map((origin) => moved(origin, shift, now.monotonic));
}

/** Its times on this process's clock; fields that this version does not know are not taken over. */
function moved({ name, check, verdict, traffic, override, own, told }: KeptOrigin, shift: number, now: number): Origin {
  const later = (time: number | undefined): number | undefined => (time === undefined ? undefined : time + shift);
  const past = (time: number): number => Math.min(time + shift, now);
  const { phase, since, until, holds, wells } = traffic;
  return {
    target: -1,
    name,
    check: check && { key: check.key, intervalMs: check.intervalMs, rise: check.rise, fall: check.fall },
    verdict: { verdict: verdict.verdict, isFresh: verdict.isFresh, against: verdict.against, run: verdict.run },
    others: undefined,
    traffic: bounded({ phase, since: past(since), until: later(until), holds, wells }, now),
    override: override && { state: override.state, until: later(override.until) },
    own: { state: own.state, since: past(own.since), riseFactor: own.riseFactor },
    told: {
      state: told.state,
      since: past(told.since),
      cause: { by: told.cause.by, reason: told.cause.reason.slice(0, LONGEST_TEXT) },
      ...(told.isBack && told.state === 'up' && { isBack: true }),
    },
    dials: new DialWindow(),
  };
}
