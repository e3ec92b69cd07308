/**
 * Finding an origin for a connection: choose, open a socket, connect; on refusal or time-out the next one
 * (flow/verdict.ts), before the client sees a failure. Nothing is sent before a connect has succeeded, so no origin but the
 * last ever saw a byte. Meanwhile the client is read already: its data waits in its queue, its reset ends the dial, also
 * one behind its end.
 */
import { IPPROTO_TCP, MSG_NOSIGNAL, POLLERR, TCP_NODELAY, TCP_QUICKACK } from '../../../linux/abi.ts';
import { send as sendNow, errnoName } from '../../../linux/ffi/libc.ts';
import { dialCause, isOutOfDescriptors, isPortRefused } from '../../flow/causes.ts';
import { mayTryNext } from '../../flow/verdict.ts';
import { IORING_CQE_F_MORE } from '../ring/abi.ts';
import { CAUSE, DROP } from '../worker/counters.ts';
import { keepAlive } from '../ring/options.ts';
import { cancelAll, close, connect, openSocket, watchErrors } from '../ring/operations.ts';
import { arm, finish, tick } from './relay.ts';
import type { Relay } from './relay.ts';
import { DIALLING, SYSTEM_PORT, WATCHED } from './slots.ts';
import { addressOffset, addressSize, addressText, familyAt, portAt, writeName } from '../ring/sockaddr.ts';
import { flush, startReading } from './stream.ts';

/** The connection has its slot and no origin yet. */
export function dial(r: Relay, slot: number): void {
  startReading(r, 2 * slot);
  next(r, slot, CAUSE[r.rules.entry(r.slots.entry[slot]!).rule.targets.whyNone]);
}

/** The next target, or the end with `cause`, which is why the one before failed. */
function next(r: Relay, slot: number, cause: number): void {
  const { slots: s } = r;
  const entry = r.rules.entry(s.entry[slot]!);
  const { rule } = entry;
  const client = s.nameOffset(slot, 0);
  const at = addressOffset(s.names, client);
  const size = addressSize(s.names, client);
  const mayTry = mayTryNext(s.timeouts[slot]!, r.now - s.triesFrom[slot]!, rule.spec.options.connectTimeoutMs);
  const position = mayTry ? rule.targets.choose(s.names, at, size, r.now, entry.originPort, s.failed(slot)) : -1;
  if (position < 0) return finish(r, slot, cause, true);
  const address = rule.targets.addresses[position]!;
  writeName(s.names, s.nameOffset(slot, 1), address, entry.originPort);
  s.target[slot] = rule.spec.targets[position]!.number;
  s.portRefusals[slot] = 0;
  s.dialledAt[slot] = r.now;
  open(r, slot);
  arm(r, slot);
}

function open(r: Relay, slot: number): void {
  const { slots: s } = r;
  s.attempt[slot]! += 1;
  openSocket(r.ring, familyAt(s.names, s.nameOffset(slot, 1)), slot, s.generation[slot]!, s.attempt[slot]!);
}

/** A socket towards the origin is there, or could not be had. */
export function opened(r: Relay, slot: number, generation: number, attempt: number, result: number): void {
  const { slots: s } = r;
  if (s.generation[slot] !== generation || s.attempt[slot] !== attempt || s.state[slot] !== DIALLING) {
    if (result >= 0) close(r.ring, result);
    return;
  }
  if (result < 0) {
    // Says nothing about the origin: the connection waits for its clock, which asks again.
    if (isOutOfDescriptors(errnoName(result))) {
      r.rules.entry(s.entry[slot]!).rule.row[DROP['wait-descriptors']]! += 1;
      return;
    }
    return failed(r, slot, CAUSE[dialCause(errnoName(result))]);
  }
  const k = 2 * slot + 1;
  s.fd[k] = result;
  const name = s.nameOffset(slot, 1);
  if (r.rules.entry(s.entry[slot]!).rule.pass.carrier === 'option') {
    // not: without it. An origin that trusts the option must never take our address for a client's.
    const told = r.toa?.announce(result, s.names, s.nameOffset(slot, 0)) ?? -1;
    if (told < 0) return finish(r, slot, CAUSE.error, true);
  }
  r.setOption(result, IPPROTO_TCP, TCP_NODELAY, 1);
  keepAlive(result, r.setOption);
  // The client's first bytes are here: they can carry the handshake's ACK, which spares everybody a packet.
  if (s.queued[2 * slot]! > 0) r.setOption(result, IPPROTO_TCP, TCP_QUICKACK, 0);
  const family = familyAt(s.names, name);
  const port = r.sources.port(s.target[slot]!, portAt(s.names, name), s.portRefusals[slot]!);
  if (port === 0) {
    if (s.portRefusals[slot]! > 0) r.rules.entry(s.entry[slot]!).rule.row[DROP['wait-source-ports']]! += 1;
    s.portRefusals[slot] = SYSTEM_PORT;
  }
  if (r.sources.bind(result, family, port, slot, generation, attempt) < 0) return anotherPort(r, slot);
  // order: directly behind its bind, which cancels it where it fails.
  connect(r.ring, result, s.nameSlab, name, family, slot, generation, attempt);
}

/** The ring has refused a port, and with it the connect. */
export function unbound(r: Relay, slot: number, generation: number, attempt: number): void {
  const { slots: s } = r;
  if (s.generation[slot] !== generation || s.attempt[slot] !== attempt || s.state[slot] !== DIALLING) return;
  anotherPort(r, slot);
}

/** The port can't be had towards this target; a socket has one port for its life, so there is another. */
function anotherPort(r: Relay, slot: number): void {
  const { slots: s } = r;
  s.portRefusals[slot]! += 1;
  close(r.ring, s.fd[2 * slot + 1]!);
  s.fd[2 * slot + 1] = -1;
  open(r, slot);
}

/** The origin has answered, or the system for it. */
export function connected(r: Relay, slot: number, generation: number, attempt: number, result: number): void {
  const { slots: s } = r;
  if (s.generation[slot] !== generation || s.attempt[slot] !== attempt || s.state[slot] !== DIALLING) return;
  if (result < 0) {
    const code = errnoName(result);
    const isPort = s.portRefusals[slot] !== SYSTEM_PORT && isPortRefused(code);
    return isPort ? anotherPort(r, slot) : failed(r, slot, CAUSE[dialCause(code)]);
  }
  const { rule } = r.rules.entry(s.entry[slot]!);
  const client = s.nameOffset(slot, 0);
  rule.targets.persistence?.remember(
    s.names,
    addressOffset(s.names, client),
    addressSize(s.names, client),
    s.target[slot]!,
    r.now,
  );
  s.relays(slot);
  s.seenAt[slot] = r.now;
  arm(r, slot);
  if (rule.pass.carrier === 'start') announce(r, slot);
  startReading(r, 2 * slot + 1, true);
  flush(r, 2 * slot);
}

/** The client has sent its end while its origin is being dialled; a reset behind it comes by no receive. */
export function endedEarly(r: Relay, slot: number): void {
  const { slots: s } = r;
  s.flags[2 * slot]! |= WATCHED;
  watchErrors(r.ring, s.fd[2 * slot]!, slot, s.generation[slot]!);
}

/** Something has happened on that socket: an error, or only an end. */
export function watched(r: Relay, slot: number, generation: number, events: number, cqeFlags: number): void {
  const { slots: s } = r;
  if (s.generation[slot] !== generation) return;
  if ((cqeFlags & IORING_CQE_F_MORE) === 0) s.flags[2 * slot]! &= ~WATCHED;
  if (events > 0 && (events & POLLERR) !== 0) finish(r, slot, CAUSE['client-reset'], true);
}

/** The clock of a connection that dials: time-out, or another try for a socket. */
export function dialTick(r: Relay, slot: number): void {
  const { slots: s } = r;
  const { options } = r.rules.entry(s.entry[slot]!).rule.spec;
  if (r.now < s.cutAt[slot]! && r.now - s.dialledAt[slot]! >= options.connectTimeoutMs)
    failed(r, slot, CAUSE['origin-timeout']);
  else tick(r, slot);
}

function failed(r: Relay, slot: number, cause: number): void {
  const { slots: s } = r;
  const { rule } = r.rules.entry(s.entry[slot]!);
  const k = 2 * slot + 1;
  if (s.fd[k]! >= 0) {
    cancelAll(r.ring, s.fd[k]!);
    close(r.ring, s.fd[k]!);
    s.fd[k] = -1;
  }
  const client = s.nameOffset(slot, 0);
  // Says nothing about the origin.
  if (cause !== CAUSE['no-source-port'])
    rule.targets.persistence?.forget(s.names, addressOffset(s.names, client), addressSize(s.names, client));
  s.ruleOut(slot);
  if (cause === CAUSE['origin-timeout']) {
    s.timeouts[slot]! += 1;
    s.triesFrom[slot] = r.now;
  }
  next(r, slot, cause);
}

/**
 * The client's address goes ahead of its first byte: in front of it where one is there already (one packet for both),
 * else on its own. limit: these modes make a few short-lived objects per connection; the others make none.
 */
function announce(r: Relay, slot: number): void {
  const { slots: s, buffers } = r;
  const entry = r.rules.entry(s.entry[slot]!);
  const name = s.nameOffset(slot, 0);
  const header = entry.rule.pass.announce(
    'TCP',
    { address: addressText(s.names, name), port: portAt(s.names, name) },
    { address: entry.text, port: entry.port },
  );
  const first = s.head[2 * slot]!;
  if (first < 0) {
    // A new socket takes a hundred bytes at once; if not, its connection is already lost and the next completion says so.
    sendNow(s.fd[2 * slot + 1]!, header, header.length, MSG_NOSIGNAL);
    return;
  }
  buffers.start[first]! -= header.length;
  buffers.length[first]! += header.length;
  buffers.memory.set(header, buffers.start[first]);
}
