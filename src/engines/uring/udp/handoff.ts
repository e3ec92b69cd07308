/**
 * UDP sessions that change hands. The process that goes stops receiving, on bound sockets and on those of sessions, so
 * that datagrams wait in the system; says which sessions there are; and goes on if it has to. The process that comes makes
 * the same sessions of it, so that an origin goes on hearing each client from the same port. Called by commands.ts.
 */
import { close } from '../../../linux/ffi/libc.ts';
import { formatAddress, parseAddress } from '../../../lib/net/address.ts';
import { cancelAll } from '../ring/operations.ts';
import { NAME_BYTES, addressText, portAt, writeName } from '../../../linux/sockaddr.ts';
import { CAUSE, LOST, countEnd } from '../worker/counters.ts';
import type { WorkerSession } from '../worker/messages.ts';
import { headsEach, serving } from '../worker/rule.ts';
import type { Entry } from '../worker/rule.ts';
import { takeBursts } from './datagrams.ts';
import { listenToClients, listenToOrigin, stopListening } from './receive.ts';
import { begin, makeRoom } from './sessions.ts';
import type { Udp } from './sessions.ts';
import { dropsOf } from './socket-drops.ts';

const NO_HEADER = new Uint8Array();

/** Receives no more; datagrams that have been received are forwarded. True soon (hasStoppedReceiving()), not at once. */
export function stopReceiving(u: Udp): void {
  const { flows } = u;
  u.datagrams.isPaused = true;
  for (const entry of serving(u.rules.rules, 'UDP')) {
    // Another engine may take it over, one that would read a burst as one datagram.
    takeBursts(entry.fd, false);
    if (entry.posted > 0) cancelAll(u.ring, entry.fd);
  }
  for (let flow = 0; flow < flows.capacity; flow++)
    if (flows.sockets.fd[flow]! >= 0 && flows.sockets.reading[flow] === 1) stopListening(u, flow);
}

export function hasStoppedReceiving(u: Udp): boolean {
  const { flows } = u;
  for (const entry of serving(u.rules.rules, 'UDP')) if (entry.posted > 0) return false;
  for (let flow = 0; flow < flows.capacity; flow++)
    if (flows.sockets.fd[flow]! >= 0 && flows.sockets.reading[flow] === 1) return false;
  return true;
}

export function resumeReceiving(u: Udp): void {
  const { flows } = u;
  u.datagrams.isPaused = false;
  for (const entry of serving(u.rules.rules, 'UDP')) if (entry.posted === 0) listenToClients(u, entry);
  for (let flow = 0; flow < flows.capacity; flow++)
    if (flows.sockets.fd[flow]! >= 0 && flows.sockets.reading[flow] === 0) listenToOrigin(u, flow);
}

export function sessionsOf(u: Udp): WorkerSession[] {
  const { flows } = u;
  const sessions: WorkerSession[] = [];
  for (let flow = 0; flow < flows.capacity; flow++) {
    if (flows.sockets.fd[flow]! < 0) continue;
    const name = flows.names.offset(flow);
    sessions.push({
      fd: flows.sockets.fd[flow]!,
      entryFd: u.rules.entry(flows.entry[flow]!).fd,
      client: { address: addressText(flows.names.bytes, name), port: portAt(flows.names.bytes, name) },
      origin: {
        address: formatAddress(u.rules.addressOf(flows.origins.target[flow]!)),
        port: flows.origins.port[flow]!,
      },
    });
  }
  return sessions;
}

/** The caller has not armed the entry's receive yet. A session that the rule no longer leads to is let go. */
export function adoptSessions(u: Udp, entry: Entry, sessions: readonly WorkerSession[]): void {
  const words = new Int32Array(NAME_BYTES >> 2);
  const name = new Uint8Array(words.buffer);
  for (const { fd, client, origin } of sessions) {
    const { rule } = entry;
    const position = rule.spec.targets.findIndex(({ address }) => address === origin.address);
    const address = parseAddress(client.address);
    if (position < 0 || origin.port !== entry.originPort || !address || !makeRoom(u, rule)) {
      // The previous process has counted it as begun, and wrote no end of it.
      countEnd(rule.row, CAUSE.drained);
      rule.row[LOST]! += 1;
      close(fd);
      continue;
    }
    writeName(name.fill(0), 0, address, client.port);
    // A header of the first datagram only has been sent.
    const header = headsEach(rule)
      ? rule.pass.announce('UDP', client, { address: entry.text, port: entry.port })
      : NO_HEADER;
    const flow = begin(u, entry, { position, fd, header }, words, 0);
    // The previous process has counted its drops so far.
    u.flows.sockets.dropped[flow] = dropsOf(fd);
  }
}
