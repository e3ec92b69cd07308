/**
 * UDP sessions that change hands. The process that goes stops receiving, on bound sockets and on those of sessions, so
 * that what comes waits in the system; says which sessions there are; and goes on if it has to. The one that comes makes
 * the same sessions of it, so that an origin goes on hearing each client from the same port. Orders of the agent's thread.
 */
import { close } from '../../../linux/ffi/libc.ts';
import { formatAddress, parseAddress } from '../../../lib/net/address.ts';
import type { WorkerSession } from '../worker/messages.ts';
import { CAUSE, LOST, countEnd } from '../worker/counters.ts';
import { takeBursts } from './burst.ts';
import { cancelAll } from '../ring/operations.ts';
import { dropsOf } from './overflow.ts';
import type { Relay } from '../tcp/relay.ts';
import { headsEach } from '../worker/rule.ts';
import type { Entry } from '../worker/rule.ts';
import { NAME_BYTES, addressText, portAt, writeName } from '../ring/sockaddr.ts';
import { listenOrigin, listenUdp } from './udp.ts';
import { begin, makeRoom } from './udp-sessions.ts';

const NO_HEADER = new Uint8Array();

/** Nothing is received any more; what has been is forwarded. True soon (`isHeld`), not at once. */
export function holdUdp(r: Relay): void {
  if (!r.udp) return;
  const { flows } = r.udp;
  r.udp.isPaused = true;
  for (const entry of r.rules.serving('UDP')) {
    // Another engine may take it over, one that would read a burst as one datagram.
    takeBursts(entry.fd, false);
    if (entry.posted > 0) cancelAll(r.ring, entry.fd);
  }
  for (let flow = 0; flow < flows.capacity; flow++)
    if (flows.open[flow] === 1 && flows.reading[flow] === 1) cancelAll(r.ring, flows.fd[flow]!);
}

export function isHeld(r: Relay): boolean {
  if (!r.udp) return true;
  const { flows } = r.udp;
  for (const entry of r.rules.serving('UDP')) if (entry.posted > 0) return false;
  for (let flow = 0; flow < flows.capacity; flow++)
    if (flows.open[flow] === 1 && flows.reading[flow] === 1) return false;
  return true;
}

export function releaseUdp(r: Relay): void {
  if (!r.udp) return;
  const { flows } = r.udp;
  r.udp.isPaused = false;
  for (const entry of r.rules.serving('UDP')) if (entry.posted === 0) listenUdp(r, entry);
  for (let flow = 0; flow < flows.capacity; flow++)
    if (flows.open[flow] === 1 && flows.reading[flow] === 0) listenOrigin(r, flow);
}

export function sessionsOf(r: Relay): WorkerSession[] {
  if (!r.udp) return [];
  const { flows } = r.udp;
  const sessions: WorkerSession[] = [];
  for (let flow = 0; flow < flows.capacity; flow++) {
    if (flows.open[flow] === 0) continue;
    const name = flows.nameOffset(flow);
    sessions.push({
      fd: flows.fd[flow]!,
      entryFd: r.rules.entry(flows.entry[flow]!).fd,
      client: { address: addressText(flows.names, name), port: portAt(flows.names, name) },
      origin: { address: formatAddress(r.rules.addressOf(flows.target[flow]!)), port: flows.originPort[flow]! },
    });
  }
  return sessions;
}

/** The caller has not armed the entry's receive yet. A session that the rule no longer leads to is let go. */
export function adoptSessions(r: Relay, entry: Entry, sessions: readonly WorkerSession[]): void {
  const words = new Int32Array(NAME_BYTES >> 2);
  const name = new Uint8Array(words.buffer);
  for (const { fd, client, origin } of sessions) {
    const { rule } = entry;
    const position = rule.spec.targets.findIndex(({ address }) => address === origin.address);
    const address = parseAddress(client.address);
    if (position < 0 || origin.port !== entry.originPort || !address || !makeRoom(r, rule)) {
      // It was counted as begun by the process before, which wrote no end of it.
      countEnd(rule.row, CAUSE.drained);
      rule.row[LOST]! += 1;
      close(fd);
      continue;
    }
    writeName(name.fill(0), 0, address, client.port);
    // What heads the first datagram of a session only has been sent.
    const header = headsEach(rule)
      ? rule.pass.announce('UDP', client, { address: entry.text, port: entry.port })
      : NO_HEADER;
    const flow = begin(r, entry, { position, fd, header }, words, 0);
    // What it dropped before, the process before this one has counted.
    r.udp!.flows.overflowed[flow] = dropsOf(fd);
  }
}
