/**
 * Entry addresses that are not on this machine (any more): their sockets stay, and work again when the address is back, but
 * until then no client reaches them. It says which; what a rule then is and what DNS answers others decide. The agent
 * owns one.
 */
import type { Clock } from '../lib/clock.ts';
import { Signal } from '../lib/signal.ts';
import type { Log } from '../observe/log.ts';
import type { PlannedRule } from '../plan/plan.ts';

/** Those of the addresses that are this machine's own. */
export type Here = (addresses: readonly string[]) => ReadonlySet<string>;

interface Change {
  readonly gone: readonly string[];
  readonly back: readonly string[];
  /** Those with an address that is back. */
  readonly rules: ReadonlySet<string>;
}

interface EntryWatchOptions {
  readonly clock: Clock;
  readonly here: Here;
  readonly rules: () => Iterable<PlannedRule>;
  /** An engine that rewrites packets forwards the rule: it can serve an address that is only routed to this machine. */
  readonly isRouted: (rule: string) => boolean;
  readonly log: Log;
}

const LOOK_MS = 2_000;
/** limit: of thousands of addresses a look asks for so many (a few ms), the next one for the next. */
const AT_ONCE = 1_024;
/** Nobody takes the loopback network away, nor a wildcard. */
const ALWAYS = /^(127\.|0\.0\.0\.0$|::1?$)/;
/** limit: addresses named in one line. */
const NAMED = 3;

export class EntryWatch {
  readonly changed = new Signal<Change>();
  readonly #options: EntryWatchOptions;
  readonly #timer: { cancel(): void };
  /** Addresses that have been here: only these can have left an engine that serves routed ones. */
  readonly #seen = new Set<string>();
  #lost: ReadonlySet<string> = new Set();
  #next = 0;

  constructor(options: EntryWatchOptions) {
    this.#options = options;
    this.#timer = options.clock.every(LOOK_MS, () => this.look());
  }

  get lost(): ReadonlySet<string> {
    return this.#lost;
  }

  get alarms(): string[] {
    if (this.#lost.size === 0) return [];
    const more = this.#lost.size > NAMED ? ` and ${this.#lost.size - NAMED} more` : '';
    const named = [...this.#lost].slice(0, NAMED).join(', ');
    return [
      `not on this machine: entry address ${named}${more}; give it back (ip addr add), DNS leaves it out until then`,
    ];
  }

  /** Rules that serve nobody, because all of their addresses are lost. */
  *failures(): Generator<{ readonly id: string; readonly reason: string }> {
    if (this.#lost.size === 0) return;
    for (const { id, entries } of this.#options.rules())
      if (entries.length > 0 && entries.every((entry) => this.#lost.has(entry)))
        yield { id, reason: `entry address ${entries.join(', ')} is not on this machine` };
  }

  /** These rules are served from now on: an address of theirs that is here now can have left by the next look. */
  meet(rules: Iterable<PlannedRule>): void {
    const asked = new Set<string>();
    for (const { entries } of rules)
      for (const entry of entries) {
        if (asked.size >= AT_ONCE) break;
        if (!ALWAYS.test(entry) && !this.#seen.has(entry)) asked.add(entry);
      }
    if (asked.size === 0) return;
    for (const entry of known(this.#options.here, [...asked]) ?? []) this.#seen.add(entry);
  }

  look(): void {
    const { here, rules, isRouted, log } = this.#options;
    /** Address → whether it is somewhere where it must be here. */
    const entries = new Map<string, boolean>();
    for (const rule of rules())
      for (const entry of rule.entries)
        if (!ALWAYS.test(entry) && !entries.get(entry)) entries.set(entry, !isRouted(rule.id));
    const all = [...entries.keys()];
    if (this.#next >= all.length) this.#next = 0;
    const asked = all.slice(this.#next, this.#next + AT_ONCE);
    this.#next += AT_ONCE;
    const found = known(here, asked);
    if (!found) return;
    for (const entry of found) this.#seen.add(entry);
    for (const entry of this.#seen) if (!entries.has(entry)) this.#seen.delete(entry);
    const before = this.#lost;
    const lost = new Set([...before].filter((entry) => entries.has(entry)));
    for (const entry of asked) {
      if (!found.has(entry) && (this.#seen.has(entry) || entries.get(entry))) lost.add(entry);
      else lost.delete(entry);
    }
    const gone = [...lost].filter((entry) => !before.has(entry));
    const back = [...before].filter((entry) => !lost.has(entry));
    if (gone.length + back.length === 0) return;
    this.#lost = lost;
    const returned = new Set(back);
    const helped = [...rules()].filter((rule) => rule.entries.some((entry) => returned.has(entry)));
    if (gone.length > 0) log.error('entry addresses are not on this machine', { addresses: gone.join(' ') });
    if (back.length > 0) log.info('entry addresses are back', { addresses: back.join(' ') });
    this.changed.tell({ gone, back, rules: new Set(helped.map(({ id }) => id)) });
  }

  close(): void {
    this.#timer.cancel();
  }
}

/** Undefined: the system does not say right now (no memory for an answer); the next look asks again. */
function known(here: Here, asked: readonly string[]): ReadonlySet<string> | undefined {
  try {
    return here(asked);
  } catch {
    return undefined;
  }
}

/** Where the system can't be asked, every address counts as here: engines say what they can't bind. */
export async function openHere(): Promise<{ readonly here: Here; close(): void }> {
  if (process.platform === 'linux')
    try {
      const { LocalRoutes } = await import('../linux/netlink/local-routes.ts');
      const routes = new LocalRoutes();
      return { here: (addresses) => routes.here(addresses), close: () => routes.close() };
    } catch {
      // No netlink, or no FFI.
    }
  return { here: (addresses) => new Set(addresses), close() {} };
}
