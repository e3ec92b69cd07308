/**
 * The rules of one worker: what accepts, where connections go, what is counted. Changed only between two batches; a
 * connection refers to its rule and to the entry that accepted it by number, and both stay until the last one has ended.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Protocol } from '../../../domain/l4-rule/modes.ts';
import { parseAddress } from '../../../lib/net/address.ts';
import { isBarred, whyNone } from '../../flow/bars.ts';
import { originPort } from '../../flow/endpoints.ts';
import { PASS_THROUGH } from '../../pass-through/index.ts';
import type { PassThrough } from '../../pass-through/pass-through.ts';
import { REST_MS } from '../../node/rule-flow.ts';
import type { EntrySpec, PortMap, RuleSpec, TargetSpec } from './control.ts';
import type { Row } from './counters.ts';
import { SharedPersistence } from './persistence.ts';
import { nextTurn } from './schedule.ts';

export interface Rule {
  readonly index: number;
  spec: RuleSpec;
  row: Row;
  pass: PassThrough;
  /** Network order, by position. */
  addresses: Uint8Array[];
  /** Number of a target → its position. */
  positions: Map<number, number>;
  /** By position: until when it takes no new session of UDP; and the latest of these. */
  restUntil: Float64Array;
  restsUntil: number;
  position: Int32Array;
  persistence: SharedPersistence | undefined;
  /** What a connection ends with, and a datagram is dropped as, where no target can be chosen. */
  whyNone: ReturnType<typeof whyNone>;
  /** A target is barred at some of its ports only. */
  barsPorts: boolean;
  /** A socket of it takes, or took, connections to other ports than its own. */
  ranges: boolean;
  /** The range before the last change of it: what was on its way to such a port is served. */
  rangeBefore: PortMap | undefined;
  /** Bound sockets, those that are closing too. */
  readonly entries: Set<Entry>;
  /** Connections or sessions that still refer to it. */
  open: number;
  /** For the sample of records. */
  seen: number;
  removed: boolean;
}

/** A bound socket; or a port behind one that takes a range, made when somebody comes. */
export interface Entry {
  readonly index: number;
  readonly rule: Rule;
  readonly fd: number;
  readonly udp: boolean;
  /** Network order. */
  readonly address: Uint8Array;
  readonly text: string;
  readonly port: number;
  /** 0: a port that the rule no longer has. */
  originPort: number;
  /** The other ports whose connections this socket takes, as far as somebody came. */
  behind: Map<number, Entry> | undefined;
  /** Datagrams that its socket has dropped, as far as they are counted. */
  overflowed: number;
  /** Accepts or receives under way. */
  posted: number;
  /** No more connections from here; once nothing is posted the socket is drained and closed. */
  closing: boolean;
  closed: boolean;
  /** Connections or sessions that came in here. */
  open: number;
}

export class Rules {
  readonly rules = new Map<number, Rule>();
  readonly entries: Entry[] = [];
  /** Sockets that are not closed yet. */
  bound = 0;
  readonly #freeEntries: number[] = [];
  /** Number of a target → its address in network order. */
  readonly #addresses = new Map<number, Uint8Array>();

  /** Makes the rule so, and says which entries came and which have to go. */
  apply(spec: RuleSpec): { rule: Rule; added: Entry[]; gone: Entry[] } {
    const rule = this.rules.get(spec.index) ?? emptyRule(spec);
    this.rules.set(spec.index, rule);
    describe(rule, spec);
    for (const [number, position] of rule.positions) this.#addresses.set(number, rule.addresses[position]!);
    const wanted = new Map(spec.entries.map((entry) => [entry.fd, entry]));
    const gone: Entry[] = [];
    for (const entry of rule.entries) {
      if (entry.closing) continue;
      const still = wanted.get(entry.fd);
      if (!still) gone.push(entry);
      else {
        entry.originPort = still.originPort;
        wanted.delete(entry.fd);
        this.#judgeBehind(entry);
      }
    }
    return { rule, added: [...wanted.values()].map((entry) => this.#add(rule, entry)), gone };
  }

  rule(index: number): Rule {
    return this.rules.get(index)!;
  }

  entry(index: number): Entry {
    return this.entries[index]!;
  }

  /** Of a target that some rule has or had; sessions outlive the rule's interest in it. */
  addressOf(target: number): Uint8Array {
    return this.#addresses.get(target)!;
  }

  /** What is bound and not on its way out. */
  *serving(protocol: Protocol): Generator<Entry> {
    for (const rule of this.rules.values())
      for (const entry of rule.entries) if (rule.spec.protocol === protocol && !entry.closing) yield entry;
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
    this.#settle(entry);
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
    return ranging && leadsTo(rule.spec.range, entry.port) !== undefined ? this.behind(ranging, entry.port) : undefined;
  }

  /** Whose a connection is that came to this port by this socket of a range. */
  behind(socket: Entry, port: number): Entry {
    if (port === socket.port) return socket;
    const known = socket.behind?.get(port);
    if (known) return known;
    const { spec, rangeBefore } = socket.rule;
    const to = leadsTo(spec.range, port);
    const { fd, text: address, closing } = socket;
    const entry = this.#entry(socket.rule, { fd, address, port, originPort: to ?? leadsTo(rangeBefore, port) ?? 0 });
    if (closing || to === undefined) entry.closing = entry.closed = true;
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
    entry.closed = true;
    this.bound--;
    entry.rule.entries.delete(entry);
    this.#settle(entry);
  }

  /** After a change: ports that the rule no longer has, or that a socket of their own serves now, are left. */
  #judgeBehind(socket: Entry): void {
    for (const [port, entry] of socket.behind ?? []) {
      const to = leadsTo(socket.rule.spec.range, port);
      if (to !== undefined) entry.originPort = to;
      else {
        socket.behind?.delete(port);
        this.#leavePort(entry);
      }
    }
  }

  #leavePort(entry: Entry): void {
    entry.closing = entry.closed = true;
    this.#settle(entry);
  }

  /** Forgets what nobody refers to any more. */
  #settle(entry: Entry): void {
    if (entry.closed && entry.open === 0) this.#freeEntries.push(entry.index);
    const { rule } = entry;
    if (rule.removed && rule.open === 0 && this.rules.get(rule.index) === rule) this.rules.delete(rule.index);
  }

  #add(rule: Rule, spec: EntrySpec): Entry {
    const entry = this.#entry(rule, spec);
    rule.entries.add(entry);
    this.bound++;
    return entry;
  }

  #entry(rule: Rule, spec: EntrySpec): Entry {
    const index = this.#freeEntries.pop() ?? this.entries.length;
    const entry: Entry = {
      index,
      rule,
      fd: spec.fd,
      udp: rule.spec.protocol === 'UDP',
      address: parseAddress(spec.address) ?? new Uint8Array(4),
      text: spec.address,
      port: spec.port,
      originPort: spec.originPort,
      behind: undefined,
      overflowed: 0,
      posted: 0,
      closing: false,
      closed: false,
      open: 0,
    };
    this.entries[index] = entry;
    return entry;
  }
}

function emptyRule(spec: RuleSpec): Rule {
  return {
    index: spec.index,
    spec,
    row: new Float64Array(spec.row),
    pass: PASS_THROUGH[spec.mode],
    addresses: [],
    positions: new Map(),
    restUntil: new Float64Array(0),
    restsUntil: 0,
    position: new Int32Array(spec.position),
    persistence: undefined,
    whyNone: 'no-origin',
    barsPorts: false,
    ranges: false,
    rangeBefore: undefined,
    entries: new Set(),
    open: 0,
    seen: 0,
    removed: false,
  };
}

function describe(rule: Rule, spec: RuleSpec): void {
  if (rule.spec.range && !isDeepStrictEqual(rule.spec.range, spec.range)) rule.rangeBefore = rule.spec.range;
  rule.ranges ||= spec.range !== undefined;
  const restOf = (target: number): number => rule.restUntil[rule.positions.get(target) ?? -1] ?? 0;
  rule.restUntil = Float64Array.from(spec.targets, ({ number }) => restOf(number));
  rule.spec = spec;
  rule.removed = false;
  rule.pass = PASS_THROUGH[spec.mode];
  rule.addresses = spec.targets.map((target) => parseAddress(target.address) ?? new Uint8Array(4));
  rule.positions = new Map(spec.targets.map((target, position) => [target.number, position]));
  rule.whyNone = whyNone(spec.targets);
  rule.barsPorts = spec.targets.some(({ barred }) => barred?.ports);
  rule.persistence = spec.persistence && new SharedPersistence(spec.persistence, spec.persistSeconds);
}

/** The origin's port of a port of the range; undefined where it has no such port. */
function leadsTo(range: PortMap | undefined, port: number): number | undefined {
  return range && originPort(range.ports, range.originPorts, port);
}

/**
 * The position of the target for a new session of the client whose address lies in memory, to be dialled at `port`; or
 * -1. `tried`: numbers of targets that are out of the question.
 */
export function choose(
  rule: Rule,
  memory: Uint8Array,
  at: number,
  size: number,
  now: number,
  port: number,
  tried?: ReadonlySet<number>,
): number {
  const { targets, turns } = rule.spec;
  const { barsPorts } = rule;
  const kept = rule.persistence?.recall(memory, at, size, now) ?? -1;
  if (kept >= 0 && !tried?.has(kept)) {
    const position = rule.positions.get(kept);
    if (position !== undefined && takes(rule, position, port, now)) return position;
  }
  const isResting = rule.restsUntil > now;
  if (!tried && !barsPorts && !isResting) return nextTurn(turns, rule.position);
  const isTaboo = (one: number): boolean => isBarred(targets[one]!, port) || tried?.has(targets[one]!.number) === true;
  const awake = isResting ? nextTurn(turns, rule.position, (one) => rule.restUntil[one]! > now || isTaboo(one)) : -1;
  return awake >= 0 ? awake : nextTurn(turns, rule.position, isTaboo);
}

/** wire: SPP heads every datagram; PPV2 the first one of a session, unless it is asked for more (spec 16.2, 16.3). */
export function headsEach({ pass, spec }: Rule): boolean {
  return pass.carrier !== 'start' || spec.options.udpHeader === 'each';
}

/** Whether the target at this position takes new sessions, and does not rest. */
function takes({ spec: { targets }, restUntil }: Rule, position: number, port: number, now: number): boolean {
  const target = targets[position]!;
  return target.weight > 0 && !isBarred(target, port) && restUntil[position]! <= now;
}

/** The target's host says that nobody listens there: for a while it takes new sessions only where no other one can. */
export function rest(rule: Rule, target: TargetSpec['number'], now: number): void {
  const position = rule.positions.get(target);
  if (position !== undefined) rule.restUntil[position] = rule.restsUntil = now + REST_MS;
}

/** Whether another target than this one takes new sessions. */
export function hasOther(rule: Rule, target: TargetSpec['number'], port: number, now: number): boolean {
  const { targets } = rule.spec;
  for (let position = 0; position < targets.length; position++)
    if (targets[position]!.number !== target && takes(rule, position, port, now)) return true;
  return false;
}

/** Whether the target's name no longer says it. */
export function hasLeft({ positions, spec }: Rule, target: TargetSpec['number']): boolean {
  const position = positions.get(target);
  return position !== undefined && spec.targets[position]!.left === true;
}

/** Whether a session that goes to this target and port may go on. */
export function stillLeadsTo(entry: Entry, target: TargetSpec['number'], port: number): boolean {
  const position = entry.rule.positions.get(target);
  if (position === undefined || entry.originPort !== port) return false;
  return !isBarred(entry.rule.spec.targets[position]!, port);
}
