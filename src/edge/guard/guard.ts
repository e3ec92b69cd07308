/**
 * Keeps the limits of rules in the kernel, in a table of its own that is there only while something is limited. The agent
 * tells it after each change; it writes what differs, one transaction at a time. Where it can't, rules serve on and
 * `alarms` says in words that their limits are not enforced. It knows no engine.
 */
import { execFile } from 'node:child_process';
import type { Clock, Timer } from '../../lib/clock.ts';
import { mayChangeNetwork, whatIsLeft } from '../../lib/nft/left.ts';
import { runNft } from '../../lib/nft/nft.ts';
import type { RuleCounters } from '../../link/facts.ts';
import type { Log } from '../../observe/log.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import { createCounters } from '../flow/counters.ts';
import { desiredOf } from './desired.ts';
import { change, GUARD_NAME, type Networks, NOTHING, REMOVE, render, type Table, whole } from './render.ts';

export interface GuardOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly owner: string;
  readonly onStop: 'keep' | 'flush';
  /** What `alarms` says may be different. */
  readonly changed: () => void;
  /** What there is to guard, as it is when asked. */
  readonly rules: () => Iterable<PlannedRule>;
  readonly records: () => ReadonlyMap<string, { readonly value: unknown }>;
}

export interface Guard {
  /** Something may be different: these records, or all. */
  update(keys?: Iterable<string>): void;
  readonly alarms: readonly string[];
  /** Only what limits gave up. */
  counters(): Promise<ReadonlyMap<string, RuleCounters>>;
  /** Resolves when everything told so far is in force or an alarm. */
  settled(): Promise<void>;
  /** `how`: where it is not as the guard was made. */
  stop(how?: 'keep' | 'flush'): Promise<void>;
}

const AGAIN_MS = 5_000;

export function createGuard({ clock, log, owner, onStop, changed, rules, records }: GuardOptions): Guard {
  const lists = new Map<string, Networks[string]>();
  /** As it is in the kernel; undefined: it has not been written by this process. */
  let table: Table | undefined;
  let alarm: string | undefined;
  let [isDirty, isStopped] = [false, false];
  let working: Promise<void> | undefined;
  let timer: Timer | undefined;
  /** What a table of this process counted before it was made anew. */
  const counted = new Map<string, { last: number; sum: number }>();

  async function work(): Promise<void> {
    while (isDirty && !isStopped) {
      isDirty = false;
      timer?.cancel();
      const now = clock.now();
      const desired = desiredOf(rules(), records(), now, lists);
      const next = desired.rules.length === 0 ? NOTHING : render(desired.rules, desired.networks);
      const why = await bring(next, now);
      if (why !== alarm && why !== undefined) log.error('limits are not enforced', { reason: why });
      if (why !== alarm) {
        alarm = why;
        changed();
      }
      if (why !== undefined) timer = clock.after(AGAIN_MS, () => poke());
      else if (desired.nextEnd !== undefined)
        timer = clock.after(Math.min(desired.nextEnd - now + 1, 2 ** 31 - 1), () => poke());
    }
  }

  /** Why it can't be brought there; undefined: it is. */
  async function bring(next: Table, now: number): Promise<string | undefined> {
    const isEmpty = next === NOTHING;
    if (table === undefined) {
      if (!mayChangeNetwork())
        return isEmpty
          ? undefined
          : 'it needs Linux and CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_ADMIN in the unit, or root)';
      const left = await whatIsLeft(GUARD_NAME, owner);
      if (left === 'of another')
        return isEmpty ? undefined : `the table inet ${GUARD_NAME} in this kernel is of another edge`;
      if (left === 'nothing' && isEmpty) return undefined;
    } else if (isEmpty && table === NOTHING) return undefined;
    const isThere = table !== undefined && table !== NOTHING;
    const text = isEmpty ? REMOVE : isThere ? change(table ?? NOTHING, next, now) : whole(next, owner, now);
    if (text === '') return undefined;
    const refusal = await runNft(text);
    if (refusal === '') {
      table = next;
      return undefined;
    }
    // Somebody may have flushed it: made anew, it is as wanted whatever it was.
    if (isThere && !isEmpty && (await runNft(whole(next, owner, now))) === '') {
      table = next;
      return undefined;
    }
    return refusal;
  }

  function poke(): void {
    isDirty = true;
    working ??= work().finally(() => {
      working = undefined;
      if (isDirty && !isStopped) poke();
    });
  }

  async function counters(): Promise<ReadonlyMap<string, RuleCounters>> {
    const dropped = new Map<string, Record<string, number>>();
    if (table === undefined || (table === NOTHING && counted.size === 0)) return new Map();
    for (const { name, packets } of table === NOTHING ? [] : await readCounters()) {
      const known = counted.get(name) ?? { last: 0, sum: 0 };
      known.sum += packets < known.last ? packets : packets - known.last;
      known.last = packets;
      counted.set(name, known);
    }
    for (const [name, { sum }] of counted) {
      const [rule = '', reason = ''] = name.split('.');
      const of = dropped.get(rule) ?? {};
      if (sum > 0) of[reason] = sum;
      dropped.set(rule, of);
    }
    return new Map([...dropped].map(([rule, dropped]) => [rule, { ...createCounters(), dropped }]));
  }

  return {
    update(keys) {
      if (!keys) lists.clear();
      else for (const key of keys) lists.delete(`${key.split('/').slice(0, 3).join('/')}/`);
      poke();
    },
    get alarms() {
      return alarm === undefined ? [] : [`limits are not enforced: ${alarm}`];
    },
    counters,
    async settled() {
      while (working) await working;
    },
    async stop(how = onStop) {
      isStopped = true;
      timer?.cancel();
      await working;
      if (how === 'flush' && table !== undefined && table !== NOTHING) await runNft(REMOVE);
    },
  };
}

interface Counted {
  readonly name: string;
  readonly packets: number;
}

/** Empty where nft can't tell. */
function readCounters(): Promise<Counted[]> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 64 << 20 };
    execFile('nft', ['-j', 'list', 'counters', 'table', 'inet', GUARD_NAME], options, (error, text) => {
      if (error) return resolve([]);
      const { nftables } = JSON.parse(text) as { nftables: { counter?: Counted }[] };
      resolve(nftables.flatMap(({ counter }) => counter ?? []));
    });
  });
}
