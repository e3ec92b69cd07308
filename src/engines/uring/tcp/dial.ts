/**
 * The search for a connection's origin: choose, open a socket, connect; on refusal or time-out the next one
 * (flow/verdict.ts), before the client sees a failure. It refuses to send before a connect has succeeded, so no origin but
 * the last ever sees a byte. Meanwhile the client is read already: its data waits in its queue, its reset ends the dial,
 * also one behind its end. Called by accept.ts, by timers.ts, and by worker.ts with completions.
 */
import { send as sendNow, errnoName } from '../../../linux/ffi/libc.ts';
import { dialCause, isOutOfDescriptors, isPortRefused } from '../../flow/causes.ts';
import { mayTryNext } from '../../flow/verdict.ts';
import { IPPROTO_TCP, MSG_NOSIGNAL, TCP_NODELAY, TCP_QUICKACK } from '../../../linux/abi.ts';
import { CAUSE, DROP } from '../worker/counters.ts';
import { keepAlive } from '../ring/options.ts';
import type { OptionSetter } from '../ring/options.ts';
import { OP, cancel, close, connect, openSocket } from '../ring/operations.ts';
import { arm, finish } from './connection.ts';
import type { Tcp } from './connection.ts';
import { flush, startReading } from './direction.ts';
import { DIALLING, RELAYING, SYSTEM_PORT } from './slots.ts';
import type { PortBinder } from './source-ports.ts';
import { addressOffset, addressSize, addressText, familyAt, portAt, writeName } from '../../../linux/sockaddr.ts';
import type { Toa } from '../toa/announce.ts';

/** Makes a socket towards an origin ready to connect. */
interface Outbound {
  readonly setOption: OptionSetter;
  readonly ports: PortBinder;
  readonly toa: Toa | undefined;
}

export interface DialState extends Tcp {
  readonly outbound: Outbound;
}

/** The connection has its slot and no origin yet. */
export function dial(t: DialState, slot: number): void {
  startReading(t, 2 * slot);
  next(t, slot, CAUSE[t.rules.entry(t.slots.entry[slot]!).rule.targets.whyNone]);
}

/** The next target, or the end with `cause`, which is why the one before failed. */
function next(t: DialState, slot: number, cause: number): void {
  const { slots: s, clock } = t;
  const { dials, names } = s;
  const { rule, originPort } = t.rules.entry(s.entry[slot]!);
  const client = names.offset(2 * slot);
  const at = addressOffset(names.bytes, client);
  const size = addressSize(names.bytes, client);
  const { connectTimeoutMs } = rule.spec.options;
  const mayTry = mayTryNext(dials.timeouts[slot]!, clock.now - dials.triesFrom[slot]!, connectTimeoutMs);
  const failed = dials.failed(slot);
  const position = mayTry ? rule.targets.choose(names.bytes, at, size, clock.now, originPort, failed) : -1;
  if (position < 0) return finish(t, slot, cause, true);
  writeName(names.bytes, names.offset(2 * slot + 1), rule.targets.addresses[position]!, originPort);
  dials.target[slot] = rule.spec.targets[position]!.number;
  dials.portRefusals[slot] = 0;
  dials.startedAt[slot] = clock.now;
  open(t, slot);
  arm(t, slot);
}

function open({ ring, slots: s }: DialState, slot: number): void {
  const attempt = ++s.dials.attempt[slot]!;
  openSocket(ring, familyAt(s.names.bytes, s.names.offset(2 * slot + 1)), slot, s.generation[slot]!, attempt);
}

/** Whether a completion belongs to the try that this slot is at. */
function isCurrent({ slots: s }: DialState, slot: number, generation: number, attempt: number): boolean {
  return s.generation[slot] === generation && s.dials.attempt[slot] === attempt && s.state[slot] === DIALLING;
}

/** A socket towards the origin is there, or could not be had. */
export function opened(t: DialState, slot: number, generation: number, attempt: number, result: number): void {
  const { slots: s, outbound } = t;
  if (!isCurrent(t, slot, generation, attempt)) {
    if (result >= 0) close(t.ring, result);
    return;
  }
  const { row, pass } = t.rules.entry(s.entry[slot]!).rule;
  if (result < 0) {
    const code = errnoName(result);
    if (!isOutOfDescriptors(code)) return failed(t, slot, CAUSE[dialCause(code)]);
    // Says nothing about the origin: the connection waits for its clock, which asks again.
    row[DROP['wait-descriptors']]! += 1;
    return;
  }
  s.directions.fd[2 * slot + 1] = result;
  const { bytes, slab } = s.names;
  if (pass.carrier === 'option') {
    // not: without it. An origin that trusts the option must never take our address for a client's.
    const told = outbound.toa?.announce(result, bytes, s.names.offset(2 * slot)) ?? -1;
    if (told < 0) return finish(t, slot, CAUSE.error, true);
  }
  outbound.setOption(result, IPPROTO_TCP, TCP_NODELAY, 1);
  keepAlive(result, outbound.setOption);
  // The client's first bytes are here: they can carry the handshake's ACK, which spares a packet.
  if (s.directions.queued[2 * slot]! > 0) outbound.setOption(result, IPPROTO_TCP, TCP_QUICKACK, 0);
  const name = s.names.offset(2 * slot + 1);
  const family = familyAt(bytes, name);
  const port = sourcePort(t, slot, portAt(bytes, name));
  if (outbound.ports.bind(result, family, port, slot, generation, attempt) < 0) return anotherPort(t, slot);
  // order: directly behind its bind, which cancels it where it fails.
  connect(t.ring, result, slab, name, family, slot, generation, attempt);
}

/** The port to dial from; 0: the system chooses. */
function sourcePort({ slots: s, rules, outbound }: DialState, slot: number, originPort: number): number {
  const { portRefusals, target } = s.dials;
  const port = outbound.ports.port(target[slot]!, originPort, portRefusals[slot]!);
  if (port > 0) return port;
  if (portRefusals[slot]! > 0) rules.entry(s.entry[slot]!).rule.row[DROP['wait-source-ports']]! += 1;
  portRefusals[slot] = SYSTEM_PORT;
  return 0;
}

/** The ring has refused a port, and with it the connect. */
export function unbound(t: DialState, slot: number, generation: number, attempt: number): void {
  if (isCurrent(t, slot, generation, attempt)) anotherPort(t, slot);
}

/** The port can't be had towards this target; a socket has one port for its life, so there is another. */
function anotherPort(t: DialState, slot: number): void {
  const { slots: s } = t;
  s.dials.portRefusals[slot]! += 1;
  close(t.ring, s.directions.fd[2 * slot + 1]!);
  s.directions.fd[2 * slot + 1] = -1;
  open(t, slot);
}

/** The origin has answered, or the system for it. */
export function connected(t: DialState, slot: number, generation: number, attempt: number, result: number): void {
  const { slots: s, clock } = t;
  if (!isCurrent(t, slot, generation, attempt)) return;
  if (result < 0) {
    const code = errnoName(result);
    const isPort = s.dials.portRefusals[slot] !== SYSTEM_PORT && isPortRefused(code);
    return isPort ? anotherPort(t, slot) : failed(t, slot, CAUSE[dialCause(code)]);
  }
  const { targets, pass } = t.rules.entry(s.entry[slot]!).rule;
  const { bytes } = s.names;
  const client = s.names.offset(2 * slot);
  const size = addressSize(bytes, client);
  targets.persistence?.remember(bytes, addressOffset(bytes, client), size, s.dials.target[slot]!, clock.now);
  t.outcomes.ok(s.dials.target[slot]!);
  s.state[slot] = RELAYING;
  s.urgent--;
  s.lives.seenAt[slot] = clock.now;
  arm(t, slot);
  if (pass.carrier === 'start') announce(t, slot);
  startReading(t, 2 * slot + 1, true);
  flush(t, 2 * slot);
}

/** The connect time-out is over: the origin has not answered, or no socket could be had. */
export function timedOut(t: DialState, slot: number): void {
  failed(t, slot, CAUSE['origin-timeout']);
}

/** The dial has failed: the origin is passed over from now on, and the next one tried. */
function failed(t: DialState, slot: number, cause: number): void {
  const { directions: d, dials, names, entry, generation } = t.slots;
  const k = 2 * slot + 1;
  if (d.fd[k]! >= 0) {
    t.outcomes.failed(dials.target[slot]!, cause, t.rules.entry(entry[slot]!).rule.spec);
    cancel(t.ring, OP.CONNECT, slot, generation[slot]!, dials.attempt[slot]!);
    close(t.ring, d.fd[k]!);
    d.fd[k] = -1;
  }
  // Without a source port nothing is known about the origin.
  if (cause !== CAUSE['no-source-port']) {
    const { persistence } = t.rules.entry(entry[slot]!).rule.targets;
    const client = names.offset(2 * slot);
    persistence?.forget(names.bytes, addressOffset(names.bytes, client), addressSize(names.bytes, client));
  }
  dials.ruleOut(slot);
  if (cause === CAUSE['origin-timeout']) {
    dials.timeouts[slot]! += 1;
    dials.triesFrom[slot] = t.clock.now;
  }
  next(t, slot, cause);
}

/**
 * The client's address goes ahead of its first byte: in front of it where one is there already (one packet for both),
 * else on its own. limit: these modes make a few short-lived objects per connection; the others make none.
 */
function announce(t: DialState, slot: number): void {
  const { slots: s, buffers } = t;
  const entry = t.rules.entry(s.entry[slot]!);
  const name = s.names.offset(2 * slot);
  const header = entry.rule.pass.announce(
    'TCP',
    { address: addressText(s.names.bytes, name), port: portAt(s.names.bytes, name) },
    { address: entry.text, port: entry.port },
  );
  const first = s.directions.head[2 * slot]!;
  if (first < 0) {
    // A new socket takes a hundred bytes at once; if not, its connection is already lost and the next completion says so.
    sendNow(s.directions.fd[2 * slot + 1]!, header, header.length, MSG_NOSIGNAL);
    return;
  }
  buffers.start[first]! -= header.length;
  buffers.length[first]! += header.length;
  buffers.memory.set(header, buffers.start[first]);
}
