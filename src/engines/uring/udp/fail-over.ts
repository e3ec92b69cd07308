/**
 * UDP sessions whose origin can't be reached, refuses, or is down: another origin gets the client, with the datagrams that
 * were not delivered. Of a session that has had no answer the first datagram is kept for that. Called by udp.ts when a send
 * has succeeded, and when a send or a receive fails; by commands.ts when states have changed.
 */
import { detach, giveChain } from '../ring/buffers.ts';
import { CAUSE } from '../worker/counters.ts';
import type { Entry } from '../worker/rule.ts';
import { addressOffset, addressSize } from '../../../linux/sockaddr.ts';
import { forward } from './forward.ts';
import { endSession, openSession } from './sessions.ts';
import type { Udp } from './sessions.ts';

type Unreached = 'origin-refused' | 'origin-unreachable';

/** The chain that begins with `first` has left. True: its first datagram or burst is kept for a while. */
export function keepFirst(u: Udp, flow: number, first: number): boolean {
  const { flows, firsts } = u;
  const { headers, lives, origins } = flows;
  const { buffers } = u.datagrams;
  // Only of the first one is it known whether a header is in front of it.
  if (headers.hasSent[flow] === 1) return false;
  headers.hasSent[flow] = 1;
  const { targets } = u.rules.entry(flows.entry[flow]!).rule;
  const hasOther = targets.hasOther(origins.target[flow]!, origins.port[flow]!, u.clock.now);
  if (lives.seniority.isAnswered(flow) || !hasOther) return false;
  giveChain(buffers, detach(buffers, first));
  firsts.keep(flow, first);
  return true;
}

/**
 * The system says that the origin can't be had, with this cause. True: another origin has the client, as
 * moveOn() says.
 */
export function failOver(u: Udp, flow: number, unsent: number, cause: Unreached): boolean {
  const { names, origins } = u.flows;
  const { targets, spec } = u.rules.entry(u.flows.entry[flow]!).rule;
  const client = names.offset(flow);
  const target = origins.target[flow]!;
  u.outcomes.failed(target, CAUSE[cause], spec);
  targets.persistence?.forget(names.bytes, addressOffset(names.bytes, client), addressSize(names.bytes, client));
  targets.rest(target, u.clock.now);
  if (!targets.hasOther(target, origins.port[flow]!, u.clock.now)) return false;
  moveOn(u, flow, unsent, CAUSE['origin-refused']);
  return true;
}

/** Sessions with targets that are down leave them, where others can take them. Not those that another process has taken over. */
export function leaveDown(u: Udp): void {
  const { flows, datagrams, clock } = u;
  const { sockets, origins } = flows;
  if (datagrams.isPaused) return;
  for (let flow = 0; flow < flows.capacity; flow++) {
    if (sockets.fd[flow]! < 0) continue;
    const { targets } = u.rules.entry(flows.entry[flow]!).rule;
    if (targets.mustLeave(origins.target[flow]!, origins.port[flow]!, clock.now))
      moveOn(u, flow, -1, CAUSE['origin-unreachable']);
  }
}

/**
 * Ends the session. Another origin has the client, at once with the datagram that was kept and with the chain that begins with
 * `unsent` (−1: none), else with its next datagram.
 */
function moveOn(u: Udp, flow: number, unsent: number, cause: number): void {
  const { flows, firsts } = u;
  const { headers, names } = flows;
  const { buffers } = u.datagrams;
  const entry = u.rules.entry(flows.entry[flow]!);
  const client = names.offset(flow);
  const first = firsts.take(flow);
  if (first >= 0) takeHeaderOff(u, flow, first, headers.firstSize[flow]!);
  for (let b = unsent; b >= 0; b = buffers.next[b]!) takeHeaderOff(u, flow, b, headers.size[flow]!);
  endSession(u, flow, cause);
  if (first >= 0) resend(u, entry, client, first);
  for (let b = unsent; b >= 0;) {
    const next = detach(buffers, b);
    resend(u, entry, client, b);
    b = next;
  }
}

/** Makes of it the datagram that its client sent, which this session has not delivered and does not count. */
function takeHeaderOff({ flows, datagrams }: Udp, flow: number, buffer: number, header: number): void {
  const { start, length } = datagrams.buffers;
  start[buffer]! += header;
  length[buffer]! -= header;
  flows.lives.bytes[2 * flow]! -= length[buffer]!;
}

/** order: the client's address is read where its ended session had it, which only a session of its own overwrites. */
function resend(u: Udp, entry: Entry, client: number, buffer: number): void {
  const { flows, datagrams } = u;
  const { names } = flows;
  const each = datagrams.segment[buffer]!;
  const size = each > 0 ? each : datagrams.buffers.length[buffer]!;
  let flow = flows.find(entry.index, names.words, client >> 2);
  if (flow < 0) flow = openSession(u, entry, names.bytes, names.words, client, size);
  if (flow < 0) datagrams.buffers.give(buffer);
  else forward(u, entry, flow, buffer, true);
}
