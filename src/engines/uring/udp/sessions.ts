/**
 * UDP sessions from their first datagram to their record: the origin is chosen, a connected socket opened, the header
 * made once. A session ends when it is idle, when its entry or its origin is no longer the rule's, or when its origin
 * refuses and there is another. It refuses to drain: the client's next datagram opens a new session. Called by udp.ts,
 * fail-over.ts and handoff.ts, by the clock wheel, and by commands.ts after a change.
 */
import { close, connect, errnoName, setsockopt, socket } from '../../../linux/ffi/libc.ts';
import {
  AF_INET,
  AF_INET6,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SO_REUSEADDR,
} from '../../../linux/abi.ts';
import { FORSAKEN_LOOK_MS, LARGEST_DATAGRAM_V4, LARGEST_DATAGRAM_V6, RECORD_EVERY_MS } from '../../flow/behaviour.ts';
import { dialCause, isOutOfDescriptors } from '../../flow/causes.ts';
import { DUE, NEVER, UDP_DRAIN_MS, deadlineAfter, dueAt } from '../../flow/verdict.ts';
import { ACTIVE, CAUSE, CONNECTIONS, DROP, LOST, SAMPLED, UNANSWERED, countEnd } from '../worker/counters.ts';
import { enlargeBuffers } from '../ring/options.ts';
import { close as closeInRing } from '../ring/operations.ts';
import { addressOffset, addressSize, addressText, portAt, sockaddrOf } from '../../../linux/sockaddr.ts';
import { PARTY } from '../worker/records.ts';
import { currentTarget, keepsTarget } from '../worker/rule.ts';
import type { Entry, Rule } from '../worker/rule.ts';
import type { WorkerState } from '../worker/state.ts';
import type { Datagrams } from './datagrams.ts';
import type { FirstDatagrams } from './first-datagrams.ts';
import { HEADER_BYTES } from './flows.ts';
import type { Flows } from './flows.ts';
import type { GsoMessages } from './gso-messages.ts';
import type { GsoChains } from './gso.ts';
import { listenToOrigin, stopListening } from './receive.ts';
import { countDrops } from './socket-drops.ts';

/** The UDP half of a worker. */
export interface Udp extends WorkerState {
  readonly flows: Flows;
  readonly datagrams: Datagrams;
  readonly gso: GsoChains;
  readonly gsoMessages: GsoMessages;
  readonly firsts: FirstDatagrams;
}

const ON = Int32Array.of(1);

/** limit: one rule's flood of new sessions leaves the others their share. */
const MOST_OF_ONE_RULE = 0.5;

/**
 * A session for the client whose socket address lies at `name` of this memory, which is these words, or -1: dropped and
 * counted. A target that can't be reached rests, and the next one is asked.
 */
export function openSession(
  u: Udp,
  entry: Entry,
  memory: Uint8Array,
  words: Int32Array,
  name: number,
  size: number,
): number {
  const { rule } = entry;
  const port = portAt(memory, name);
  if (port === 0) {
    rule.row[DROP.source]! += 1;
    return -1;
  }
  const at = addressOffset(memory, name);
  const addressBytes = addressSize(memory, name);
  const client = { address: addressText(memory, name), port };
  const header = rule.pass.announce('UDP', client, { address: entry.text, port: entry.port });
  let hasRoom = false;
  const drop = (reason: number): number => {
    rule.row[reason]! += 1;
    if (hasRoom) u.budget.give(1);
    return -1;
  };
  for (;;) {
    const position = rule.targets.choose(memory, at, addressBytes, u.clock.now, entry.originPort);
    if (position < 0) return drop(DROP[rule.targets.whyNone]);
    const address = rule.targets.addresses[position]!;
    const target = rule.spec.targets[position]!.number;
    const v6 = address.length === 16;
    if (size + header.length > (v6 ? LARGEST_DATAGRAM_V6 : LARGEST_DATAGRAM_V4)) return drop(DROP.oversize);
    hasRoom ||= isAdmitted(u, rule, memory, at, addressBytes) && makeRoom(u, rule);
    if (!hasRoom) return drop(DROP.limit);
    const fd = upstream(v6, address, entry.originPort);
    if (fd >= 0) {
      rule.targets.persistence?.remember(memory, at, addressBytes, target, u.clock.now);
      rule.row[CONNECTIONS]! += 1;
      return begin(u, entry, { position, fd, header }, words, name >> 2);
    }
    const error = errnoName(fd);
    if (isOutOfDescriptors(error)) return drop(DROP.limit);
    if (dialCause(error) === 'no-source-port') return drop(DROP['no-source-port']);
    u.outcomes.failed(target, CAUSE[dialCause(error)], rule.spec);
    rule.targets.rest(target, u.clock.now);
    if (!rule.targets.hasOther(target, entry.originPort, u.clock.now)) return drop(DROP['no-origin']);
  }
}

/** Whether the source and the rule may have one more, of the last ones. */
function isAdmitted(u: Udp, rule: Rule, memory: Uint8Array, at: number, size: number): boolean {
  const place = u.shares.placeOf(memory, at, size);
  return u.shares.admits(place, u.budget.free, rule.open, u.rules.rules.size === 1);
}

/** Its client's place in the shares. */
function sourceOf({ flows: { names }, shares }: Udp, flow: number): number {
  const client = names.offset(flow);
  return shares.placeOf(names.bytes, addressOffset(names.bytes, client), addressSize(names.bytes, client));
}

/** The session of the client whose socket address begins at word `at`, with this socket to this target. The caller counts it. */
export function begin(
  u: Udp,
  entry: Entry,
  { position, fd, header }: { readonly position: number; readonly fd: number; readonly header: Uint8Array },
  words: Int32Array,
  at: number,
): number {
  const { flows, clock } = u;
  const { headers, lives, origins } = flows;
  const { rule } = entry;
  const flow = flows.take(entry.index, rule.index, words, at, fd, clock.now);
  lives.number[flow] = u.records.nextNumber();
  origins.target[flow] = rule.spec.targets[position]!.number;
  origins.port[flow] = entry.originPort;
  origins.family[flow] = rule.targets.addresses[position]!.length === 16 ? AF_INET6 : AF_INET;
  headers.size[flow] = headers.firstSize[flow] = header.length;
  headers.bytes.set(header, flow * HEADER_BYTES);
  u.rules.opened(entry);
  u.shares.add(sourceOf(u, flow), 1);
  rule.row[ACTIVE]! += 1;
  const oneIn = rule.spec.options.recordOneIn;
  if (oneIn > 0 && rule.seen++ % oneIn === 0) lives.recordAt[flow] = clock.now + RECORD_EVERY_MS;
  listenToOrigin(u, flow);
  arm(u, flow);
  return flow;
}

/**
 * A place and a descriptor for a session of this rule, where need be those of the session that misses them least (of
 * this rule, where it holds its share already).
 */
export function makeRoom(u: Udp, rule: Rule): boolean {
  const { flows } = u;
  const isFull = rule.open >= flows.capacity * MOST_OF_ONE_RULE;
  if (!isFull && flows.available > 0 && u.budget.take(1)) return true;
  const victim = flows.lives.seniority.victim(rule.index, u.clock.now, isFull);
  if (victim < 0) return false;
  endSession(u, victim, CAUSE.evicted);
  // order: its descriptor is closed before the next one is opened; the budget is true for the system, too.
  u.ring.enter(0, 0);
  return u.budget.take(1);
}

/** not: in the ring. Opening and connecting a UDP socket never waits, and the datagram in hand needs it now. */
function upstream(v6: boolean, address: Uint8Array, port: number): number {
  const fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  enlargeBuffers(fd);
  const name = sockaddrOf(address, port);
  const refused = connect(fd, name, name.length);
  // not: before it has its port, which would be one that another session has, too. A rule may listen on it later.
  if (refused >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ON, 4);
  if (refused >= 0) return fd;
  close(fd);
  return refused;
}

/** `cause` −1: not its end, it goes on in another process. */
export function endSession(u: Udp, flow: number, cause: number): void {
  const { flows } = u;
  const { lives, sockets } = flows;
  const entry = u.rules.entry(flows.entry[flow]!);
  const { row } = entry.rule;
  record(u, flow, cause);
  u.gso.drop(flow);
  u.firsts.drop(flow);
  const fd = sockets.fd[flow]!;
  countDrops(entry.rule, fd, sockets.dropped[flow]!);
  if (sockets.reading[flow] === 1) stopListening(u, flow);
  closeInRing(u.ring, fd);
  u.wheel.clear(lives.firstClock + flow);
  row[ACTIVE]! -= 1;
  if (cause >= 0) {
    if (!lives.seniority.isAnswered(flow)) row[UNANSWERED]! += 1;
    countEnd(row, cause);
  }
  u.shares.add(sourceOf(u, flow), -1);
  flows.give(flow);
  u.rules.ended(entry);
  u.budget.give(1);
}

/** Sets the session's clock to whatever comes first: idle, record, the next look at a session whose address left its name. */
function arm(u: Udp, flow: number): void {
  const { lives, origins } = u.flows;
  const { targets } = u.rules.entry(u.flows.entry[flow]!).rule;
  const look = targets.hasLeft(origins.target[flow]!) ? u.clock.now + FORSAKEN_LOOK_MS : NEVER;
  u.wheel.set(lives.firstClock + flow, Math.min(idleAt(u, flow), lives.recordAt[flow]!, look));
}

function idleAt({ flows, rules }: Udp, flow: number): number {
  const { idleSeconds } = rules.entry(flows.entry[flow]!).rule.spec.options;
  return flows.lives.seniority.seenAt[flow]! + idleSeconds * 1000;
}

/** The session's clock. */
export function tickSession(u: Udp, flow: number): void {
  const { flows, clock } = u;
  const { lives, origins, sockets } = flows;
  const { rule } = u.rules.entry(flows.entry[flow]!);
  const isForsaken = rule.targets.hasLeft(origins.target[flow]!) && lives.seniority.isForsaken(flow, clock.now);
  const due = dueAt(clock.now, isForsaken ? clock.now : NEVER, idleAt(u, flow), lives.recordAt[flow]!);
  if (due === DUE.drained) return endSession(u, flow, CAUSE.drained);
  if (due === DUE.idle) return endSession(u, flow, CAUSE.idle);
  if (due === DUE.record) record(u, flow, -1);
  sockets.dropped[flow] = countDrops(rule, sockets.fd[flow]!, sockets.dropped[flow]!);
  arm(u, flow);
}

/** After a change of the rule (`otherHeader`: of what heads its datagrams): sessions that it would not make any more end. */
export function reviewSessions(u: Udp, rule: Rule, otherHeader: boolean): void {
  const { flows, clock } = u;
  const { origins, sockets } = flows;
  for (let flow = 0; flow < flows.capacity; flow++) {
    if (sockets.fd[flow]! < 0) continue;
    const entry = u.rules.entry(flows.entry[flow]!);
    if (entry.rule !== rule) continue;
    const target = currentTarget(rule, origins.target[flow]!);
    const port = origins.port[flow]!;
    origins.target[flow] = target;
    const hasPlace =
      !otherHeader && keepsTarget(entry, target, port) && !rule.targets.mustLeave(target, port, clock.now);
    if (deadlineAfter(hasPlace, UDP_DRAIN_MS, clock.now, NEVER) <= clock.now) endSession(u, flow, CAUSE.drained);
    else arm(u, flow);
  }
}

/** The record of a session's end, or of its last minute (cause −1): the next one tells what does not fit into this. */
function record(u: Udp, flow: number, cause: number): void {
  const { flows, records, clock } = u;
  const { lives, names, origins } = flows;
  const entry = u.rules.entry(flows.entry[flow]!);
  const { row, index } = entry.rule;
  if (lives.recordAt[flow] === NEVER) {
    if (cause >= 0) row[SAMPLED]! += 1;
    return;
  }
  const bytesIn = lives.bytes[2 * flow]! - lives.recorded[2 * flow]!;
  const bytesOut = lives.bytes[2 * flow + 1]! - lives.recorded[2 * flow + 1]!;
  lives.recordAt[flow] = clock.now + RECORD_EVERY_MS;
  if (!records.begin(lives.number[flow]!, index, true, cause, lives.openedAt[flow]!, clock.now, bytesIn, bytesOut)) {
    if (cause >= 0) row[LOST]! += 1;
    return;
  }
  lives.recorded[2 * flow] = lives.bytes[2 * flow]!;
  lives.recorded[2 * flow + 1] = lives.bytes[2 * flow + 1]!;
  const { bytes } = names;
  const client = names.offset(flow);
  records.party(PARTY.client, bytes, addressOffset(bytes, client), addressSize(bytes, client), portAt(bytes, client));
  records.party(PARTY.entry, entry.address, 0, entry.address.length, entry.port);
  const origin = u.rules.addressOf(origins.target[flow]!);
  records.party(PARTY.origin, origin, 0, origin.length, origins.port[flow]!);
  records.commit();
}
