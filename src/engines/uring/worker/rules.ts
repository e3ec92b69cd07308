/**
 * The rules of one worker and their entries, by number. Changed only between two batches, by commands.ts; an entry's number is
 * used again once its socket is closed and the last connection that came by it has ended. It refuses to close sockets and
 * connections: it says which have to go.
 */
import { isDeepStrictEqual } from 'node:util';
import type { TargetStates } from '../../flow/target-states.ts';
import { PASS_THROUGH } from '../../pass-through/index.ts';
import type { EntrySpec, RuleSpec } from './messages.ts';
import { createEntry, createRule, isClosed, portInRange } from './rule.ts';
import type { Entry, Rule } from './rule.ts';
import type { TargetNumber } from './targets.ts';

export class Rules {
  readonly rules = new Map<number, Rule>();
  readonly entries: Entry[] = [];
  /** Sockets that are not closed yet. */
  bound = 0;
  readonly #freeEntries: number[] = [];
  /** In network order. */
  readonly #addresses = new Map<TargetNumber, Uint8Array>();
  readonly #states: TargetStates;

  constructor(states: TargetStates) {
    this.#states = states;
  }

  /** Makes the rule so, and says which entries came and which have to go. */
  apply(spec: RuleSpec): { rule: Rule; added: Entry[]; gone: Entry[] } {
    const rule = this.rules.get(spec.index) ?? createRule(spec, this.#states);
    this.rules.set(spec.index, rule);
    describe(rule, spec);
    for (const [position, { number }] of spec.targets.entries())
      this.#addresses.set(number, rule.targets.addresses[position]!);
    const wanted = new Map(spec.entries.map((entry) => [entry.fd, entry]));
    const gone: Entry[] = [];
    for (const entry of rule.entries) {
      if (entry.closing) continue;
      const still = wanted.get(entry.fd);
      if (!still) gone.push(entry);
      else {
        entry.originPort = still.originPort;
        wanted.delete(entry.fd);
        this.#updateBehind(entry);
      }
    }
    return { rule, added: [...wanted.values()].map((entry) => this.#bind(rule, entry)), gone };
  }

  entry(index: number): Entry {
    return this.entries[index]!;
  }

  /** Of a target that some rule has or had; sessions outlive the rule's interest in it. */
  addressOf(target: TargetNumber): Uint8Array {
    return this.#addresses.get(target)!;
  }

  /** A connection or session of this entry has begun. */
  opened(entry: Entry): void {
    entry.open++;
    entry.rule.open++;
  }

  /** … and ended. */
  ended(entry: Entry): void {
    entry.open--;
    entry.rule.open--;
    this.#forget(entry);
  }

  /** Where a connection of a closing entry belongs now: its address and port may be bound again. */
  successor(entry: Entry): Entry | undefined {
    const { rule } = entry;
    let ranging: Entry | undefined;
    for (const other of rule.entries) {
      if (other.closing || other.text !== entry.text) continue;
      if (other.port === entry.port) return other;
      ranging = other;
    }
    const isInRange = portInRange(rule.spec.range, entry.port) !== undefined;
    return ranging && isInRange ? this.behind(ranging, entry.port) : undefined;
  }

  /** The entry of a connection that came to this port by this socket of a range. */
  behind(socket: Entry, port: number): Entry {
    if (port === socket.port) return socket;
    const known = socket.behind?.get(port);
    if (known) return known;
    const { spec, rangeBefore } = socket.rule;
    const to = portInRange(spec.range, port);
    const { fd, text: address, closing } = socket;
    const entry = this.#add(socket.rule, {
      fd,
      address,
      port,
      originPort: to ?? portInRange(rangeBefore, port) ?? 0,
    });
    if (closing || to === undefined) entry.closing = true;
    else (socket.behind ??= new Map()).set(port, entry);
    return entry;
  }

  /** No more connections from here than its socket holds. */
  leave(entry: Entry): void {
    entry.closing = true;
    for (const port of entry.behind?.values() ?? []) this.#leavePort(port);
    entry.behind = undefined;
  }

  /** The entry's socket is closed. */
  closed(entry: Entry): void {
    this.bound--;
    entry.rule.entries.delete(entry);
    this.#forget(entry);
  }

  /** Ports that the rule no longer has, or that a socket of their own serves now, are left. */
  #updateBehind(socket: Entry): void {
    for (const [port, entry] of socket.behind ?? []) {
      const to = portInRange(socket.rule.spec.range, port);
      if (to !== undefined) entry.originPort = to;
      else {
        socket.behind?.delete(port);
        this.#leavePort(entry);
      }
    }
  }

  #leavePort(entry: Entry): void {
    entry.closing = true;
    this.#forget(entry);
  }

  /** Gives back the place of an entry, and drops a removed rule, once nothing refers to it. */
  #forget(entry: Entry): void {
    if (entry.open === 0 && isClosed(entry)) this.#freeEntries.push(entry.index);
    const { rule } = entry;
    if (rule.removed && rule.open === 0 && this.rules.get(rule.index) === rule) this.rules.delete(rule.index);
  }

  #bind(rule: Rule, spec: EntrySpec): Entry {
    const entry = this.#add(rule, spec);
    rule.entries.add(entry);
    this.bound++;
    return entry;
  }

  #add(rule: Rule, spec: EntrySpec): Entry {
    const index = this.#freeEntries.pop() ?? this.entries.length;
    return (this.entries[index] = createEntry(index, rule, spec));
  }
}

function describe(rule: Rule, spec: RuleSpec): void {
  if (rule.spec.range && !isDeepStrictEqual(rule.spec.range, spec.range)) rule.rangeBefore = rule.spec.range;
  rule.takesRange ||= spec.range !== undefined;
  rule.spec = spec;
  rule.removed = false;
  rule.pass = PASS_THROUGH[spec.mode];
  rule.targets.update(spec);
}
