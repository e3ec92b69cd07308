/**
 * One rule of one worker and its entries, as data, with what follows from them alone. A connection refers to its rule and
 * to the entry that accepted it by number, and both stay until the last one has ended. rules.ts changes them.
 */
import type { Protocol } from '../../../domain/l4-rule/modes.ts';
import { parseAddress } from '../../../lib/net/address.ts';
import { originPort } from '../../flow/endpoints.ts';
import type { TargetStates } from '../../flow/target-states.ts';
import { keepsPlace } from '../../flow/verdict.ts';
import { PASS_THROUGH } from '../../pass-through/index.ts';
import type { PassThrough } from '../../pass-through/pass-through.ts';
import type { Row } from './counters.ts';
import type { EntrySpec, PortMap, RuleSpec } from './messages.ts';
import { RuleTargets } from './targets.ts';
import type { TargetNumber } from './targets.ts';

export interface Rule {
  readonly index: number;
  spec: RuleSpec;
  readonly row: Row;
  pass: PassThrough;
  readonly targets: RuleTargets;
  /** A socket of it takes, or took, connections to other ports than its own. */
  takesRange: boolean;
  /** The range before the last change of it: what was on its way to such a port is served. */
  rangeBefore: PortMap | undefined;
  /** Bound sockets, those that are closing too. */
  readonly entries: Set<Entry>;
  /** Connections or sessions that still refer to it. */
  open: number;
  /** Connections or sessions so far, for the sample of records. */
  seen: number;
  removed: boolean;
}

/** A bound socket; or a port behind one that takes a range, made when its first client comes. */
export interface Entry {
  readonly index: number;
  readonly rule: Rule;
  readonly fd: number;
  /** Network order. */
  readonly address: Uint8Array;
  readonly text: string;
  readonly port: number;
  /** 0: a port that the rule no longer has. */
  originPort: number;
  /** The other ports whose connections this socket takes, as far as a client has come. */
  behind: Map<number, Entry> | undefined;
  /** Datagrams that its socket has dropped, as far as they are counted. */
  overflowed: number;
  /** Accepts or receives under way. */
  posted: number;
  /** No more connections from here; once nothing is posted the socket is drained and closed. */
  closing: boolean;
  /** Connections or sessions that came in here. */
  open: number;
}

export function createRule(spec: RuleSpec, states: TargetStates): Rule {
  return {
    index: spec.index,
    spec,
    row: new Float64Array(spec.row),
    pass: PASS_THROUGH[spec.mode],
    targets: new RuleTargets(spec, states),
    takesRange: false,
    rangeBefore: undefined,
    entries: new Set(),
    open: 0,
    seen: 0,
    removed: false,
  };
}

export function createEntry(index: number, rule: Rule, spec: EntrySpec): Entry {
  return {
    index,
    rule,
    fd: spec.fd,
    address: parseAddress(spec.address) ?? new Uint8Array(4),
    text: spec.address,
    port: spec.port,
    originPort: spec.originPort,
    behind: undefined,
    overflowed: 0,
    posted: 0,
    closing: false,
    open: 0,
  };
}

/** The sockets that are bound and not on their way out. */
export function* serving(rules: ReadonlyMap<number, Rule>, protocol: Protocol): Generator<Entry> {
  for (const rule of rules.values())
    for (const entry of rule.entries) if (rule.spec.protocol === protocol && !entry.closing) yield entry;
}

/** Whether its socket is closed; of a port behind a socket: whether the rule no longer has it. */
export function isClosed(entry: Entry): boolean {
  return entry.closing && !entry.rule.entries.has(entry);
}

/** The number of the target as the rule has it now; one that the rule has no more keeps its own. */
export function currentTarget({ targets }: Rule, target: TargetNumber): TargetNumber {
  return targets.get(target)?.number ?? target;
}

/** Whether a connection or session from this entry to this target and port stays after a change; port 0: it still dials. */
export function keepsTarget(
  { rule, closing, originPort: leadsTo }: Entry,
  target: TargetNumber,
  port: number,
): boolean {
  return keepsPlace(!rule.removed && !closing, rule.targets.get(target), leadsTo, port);
}

/** The origin's port for a port of the range; undefined where the range has no such port. */
export function portInRange(range: PortMap | undefined, port: number): number | undefined {
  return range && originPort(range.ports, range.originPorts, port);
}

/** wire: SPP heads every datagram; PPV2 the first one of a session, unless it is asked for more (spec 16.2, 16.3). */
export function headsEach({ pass, spec }: Rule): boolean {
  return pass.carrier !== 'start' || spec.options.udpHeader === 'each';
}
