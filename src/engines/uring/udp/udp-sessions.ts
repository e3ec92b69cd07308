/**
 * UDP sessions from their first datagram to their record: the origin is chosen, a connected socket opened, the header
 * made once. A session ends when it is idle, when its entry or its origin is no longer the rule's, or when its origin
 * refuses and there is another. The client's next datagram then opens a new one.
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
import { HEADER_BYTES } from './flows.ts';
import { cancelAll, close as closeInRing } from '../ring/operations.ts';
import { countOverflow } from './overflow.ts';
import { PARTY } from '../worker/records.ts';
import type { Relay } from '../tcp/relay.ts';
import { keepsTarget } from '../worker/rule.ts';
import type { Entry, Rule } from '../worker/rule.ts';
import { enlarge } from '../host/listening-sockets.ts';
import { addressOffset, addressSize, addressText, portAt, sockaddrOf } from '../ring/sockaddr.ts';
import { listenOrigin } from './udp.ts';

const ON = Int32Array.of(1);

/** limit: one rule's flood of new sessions leaves the others their share. */
const MOST_OF_ONE_RULE = 0.5;

/**
 * A session for the client whose socket address lies at `name` of this memory, which is these words, or -1: dropped and
 * counted. A target that can't be reached rests, and the next one is asked.
 */
export function openSession(
  r: Relay,
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
    if (hasRoom) r.budget.give(1);
    return -1;
  };
  for (;;) {
    const position = rule.targets.choose(memory, at, addressBytes, r.now, entry.originPort);
    if (position < 0) return drop(DROP[rule.targets.whyNone]);
    const address = rule.targets.addresses[position]!;
    const target = rule.spec.targets[position]!.number;
    const v6 = address.length === 16;
    if (size + header.length > (v6 ? LARGEST_DATAGRAM_V6 : LARGEST_DATAGRAM_V4)) return drop(DROP.oversize);
    hasRoom ||= isAdmitted(r, rule, memory, at, addressBytes) && makeRoom(r, rule);
    if (!hasRoom) return drop(DROP.limit);
    const fd = upstream(v6, address, entry.originPort);
    if (fd >= 0) {
      rule.targets.persistence?.remember(memory, at, addressBytes, target, r.now);
      rule.row[CONNECTIONS]! += 1;
      return begin(r, entry, { position, fd, header }, words, name >> 2);
    }
    const error = errnoName(fd);
    if (isOutOfDescriptors(error)) return drop(DROP.limit);
    if (dialCause(error) === 'no-source-port') return drop(DROP['no-source-port']);
    rule.targets.rest(target, r.now);
    if (!rule.targets.hasOther(target, entry.originPort, r.now)) return drop(DROP['no-origin']);
  }
}

/** Whether the source and the rule may have one more, of the last ones. */
function isAdmitted(r: Relay, rule: Rule, memory: Uint8Array, at: number, size: number): boolean {
  const place = r.shares.placeOf(memory, at, size);
  return r.shares.admits(place, r.budget.free, rule.open, r.rules.rules.size === 1);
}

/** Its client's place in the shares. */
function sourceOf(r: Relay, flow: number): number {
  const { flows } = r.udp!;
  const name = flows.nameOffset(flow);
  return r.shares.placeOf(flows.names, addressOffset(flows.names, name), addressSize(flows.names, name));
}

/** The session of the client whose socket address begins at word `at`, with this socket to this target. The caller counts it. */
export function begin(
  r: Relay,
  entry: Entry,
  { position, fd, header }: { readonly position: number; readonly fd: number; readonly header: Uint8Array },
  words: Int32Array,
  at: number,
): number {
  const { flows } = r.udp!;
  const { rule } = entry;
  const flow = flows.take(entry.index, rule.index, words, at, fd, r.now);
  flows.number[flow] = ++r.taken;
  flows.target[flow] = rule.spec.targets[position]!.number;
  flows.originPort[flow] = entry.originPort;
  flows.originFamily[flow] = rule.targets.addresses[position]!.length === 16 ? AF_INET6 : AF_INET;
  flows.headerSize[flow] = flows.firstHeader[flow] = header.length;
  flows.headers.set(header, flow * HEADER_BYTES);
  r.rules.opened(entry);
  r.shares.add(sourceOf(r, flow), 1);
  rule.row[ACTIVE]! += 1;
  const oneIn = rule.spec.options.recordOneIn;
  if (oneIn > 0 && rule.seen++ % oneIn === 0) flows.recordAt[flow] = r.now + RECORD_EVERY_MS;
  listenOrigin(r, flow);
  armSession(r, flow);
  return flow;
}

/**
 * A place and a descriptor for a session of this rule, where need be those of the session that misses them least (of
 * this rule, where it holds its share already).
 */
export function makeRoom(r: Relay, rule: Rule): boolean {
  const { flows } = r.udp!;
  const isFull = rule.open >= flows.capacity * MOST_OF_ONE_RULE;
  if (!isFull && flows.available > 0 && r.budget.take(1)) return true;
  const victim = flows.seniority.victim(rule.index, r.now, isFull);
  if (victim < 0) return false;
  endSession(r, victim, CAUSE.evicted);
  // order: its descriptor is closed before the next one is opened; the budget is true for the system, too.
  r.ring.enter(0, 0);
  return r.budget.take(1);
}

/** not: in the ring. Opening and connecting a UDP socket never waits, and the datagram in hand needs it now. */
function upstream(v6: boolean, address: Uint8Array, port: number): number {
  const fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  enlarge(fd);
  const name = sockaddrOf(address, port);
  const refused = connect(fd, name, name.length);
  // not: before it has its port, which would be one that another session has, too. A rule may listen on it later.
  if (refused >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ON, 4);
  if (refused >= 0) return fd;
  close(fd);
  return refused;
}

/** `cause` −1: not its end, it goes on in another process. */
export function endSession(r: Relay, flow: number, cause: number): void {
  const { flows } = r.udp!;
  recordSession(r, flow, cause);
  r.udp!.gather.drop(flow);
  r.udp!.held.drop(flow);
  const fd = flows.fd[flow]!;
  countOverflow(r.rules.entry(flows.entry[flow]!).rule, fd, flows.overflowed[flow]!);
  if (flows.reading[flow] === 1) cancelAll(r.ring, fd);
  closeInRing(r.ring, fd);
  r.wheel.clear(r.slots.capacity + flow);
  const entry = r.rules.entry(flows.entry[flow]!);
  const { row } = entry.rule;
  row[ACTIVE]! -= 1;
  if (cause >= 0) {
    if (!flows.seniority.isAnswered(flow)) row[UNANSWERED]! += 1;
    countEnd(row, cause);
  }
  r.shares.add(sourceOf(r, flow), -1);
  flows.give(flow);
  r.rules.ended(entry);
  r.budget.give(1);
}

function armSession(r: Relay, flow: number): void {
  const { flows } = r.udp!;
  const { rule } = r.rules.entry(flows.entry[flow]!);
  const idleAt = flows.seniority.seenAt[flow]! + rule.spec.options.idleSeconds * 1000;
  let due = Math.min(idleAt, flows.recordAt[flow]!);
  if (rule.targets.hasLeft(flows.target[flow]!)) due = Math.min(due, r.now + FORSAKEN_LOOK_MS);
  r.wheel.set(r.slots.capacity + flow, due);
}

/** The session's clock. */
export function tickSession(r: Relay, flow: number): void {
  const { flows } = r.udp!;
  const { rule } = r.rules.entry(flows.entry[flow]!);
  const isForsaken = rule.targets.hasLeft(flows.target[flow]!) && flows.seniority.isForsaken(flow, r.now);
  const idleAt = flows.seniority.seenAt[flow]! + rule.spec.options.idleSeconds * 1000;
  const due = dueAt(r.now, isForsaken ? r.now : NEVER, idleAt, flows.recordAt[flow]!);
  if (due === DUE.drained) return endSession(r, flow, CAUSE.drained);
  if (due === DUE.idle) return endSession(r, flow, CAUSE.idle);
  if (due === DUE.record) recordSession(r, flow, -1);
  flows.overflowed[flow] = countOverflow(rule, flows.fd[flow]!, flows.overflowed[flow]!);
  armSession(r, flow);
}

/**
 * After a change of the rule (`changed`: of its mode too): sessions without a place in it end.
 */
export function judgeSessions(r: Relay, rule: Rule, changed: boolean): void {
  if (!r.udp) return;
  const { flows } = r.udp;
  for (let flow = 0; flow < flows.capacity; flow++) {
    if (flows.open[flow] === 0) continue;
    const entry = r.rules.entry(flows.entry[flow]!);
    if (entry.rule !== rule) continue;
    const stays = !changed && keepsTarget(entry, flows.target[flow]!, flows.originPort[flow]!);
    if (deadlineAfter(stays, UDP_DRAIN_MS, r.now, NEVER) <= r.now) endSession(r, flow, CAUSE.drained);
    else armSession(r, flow);
  }
}

function recordSession(r: Relay, flow: number, cause: number): void {
  const { flows } = r.udp!;
  const { records } = r;
  const entry = r.rules.entry(flows.entry[flow]!);
  const { row, index } = entry.rule;
  if (flows.recordAt[flow] === NEVER) {
    if (cause >= 0) row[SAMPLED]! += 1;
    return;
  }
  const bytesIn = flows.bytes[2 * flow]! - flows.recorded[2 * flow]!;
  const bytesOut = flows.bytes[2 * flow + 1]! - flows.recorded[2 * flow + 1]!;
  flows.recordAt[flow] = r.now + RECORD_EVERY_MS;
  if (!records.begin(flows.number[flow]!, index, true, cause, flows.openedAt[flow]!, r.now, bytesIn, bytesOut)) {
    if (cause >= 0) row[LOST]! += 1;
    return;
  }
  flows.recorded[2 * flow] = flows.bytes[2 * flow]!;
  flows.recorded[2 * flow + 1] = flows.bytes[2 * flow + 1]!;
  const name = flows.nameOffset(flow);
  records.party(
    PARTY.client,
    flows.names,
    addressOffset(flows.names, name),
    addressSize(flows.names, name),
    portAt(flows.names, name),
  );
  records.party(PARTY.entry, entry.address, 0, entry.address.length, entry.port);
  const origin = r.rules.addressOf(flows.target[flow]!);
  records.party(PARTY.origin, origin, 0, origin.length, flows.originPort[flow]!);
  records.commit();
}
