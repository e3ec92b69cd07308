/**
 * UDP sessions whose origin can't be reached, or refuses: another origin gets the client, with the datagrams that were not
 * delivered. Of a session that has had no answer the first datagram is kept for that. Called by udp.ts when a send has
 * succeeded, and when a send or a receive fails.
 */
import { detach, giveChain } from '../ring/buffers.ts';
import { CAUSE } from '../worker/counters.ts';
import type { Entry } from '../worker/rule.ts';
import { addressOffset, addressSize } from '../../../linux/sockaddr.ts';
import { forward } from './forward.ts';
import { endSession, openSession } from './sessions.ts';
import type { Udp } from './sessions.ts';

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
 * The origin's host says that nobody listens there. True: the session has ended, and another origin has the client, with
 * the datagram that was kept and with the chain that begins with `unsent` (−1: none).
 */
export function failOver(u: Udp, flow: number, unsent: number): boolean {
  const { flows, firsts } = u;
  const { headers, names, origins } = flows;
  const { buffers } = u.datagrams;
  const entry = u.rules.entry(flows.entry[flow]!);
  const { targets } = entry.rule;
  const client = names.offset(flow);
  const target = origins.target[flow]!;
  targets.persistence?.forget(names.bytes, addressOffset(names.bytes, client), addressSize(names.bytes, client));
  targets.rest(target, u.clock.now);
  if (!targets.hasOther(target, origins.port[flow]!, u.clock.now)) return false;
  const first = firsts.take(flow);
  if (first >= 0) takeHeaderOff(u, flow, first, headers.firstSize[flow]!);
  for (let b = unsent; b >= 0; b = buffers.next[b]!) takeHeaderOff(u, flow, b, headers.size[flow]!);
  endSession(u, flow, CAUSE['origin-refused']);
  if (first >= 0) resend(u, entry, client, first);
  for (let b = unsent; b >= 0;) {
    const next = detach(buffers, b);
    resend(u, entry, client, b);
    b = next;
  }
  return true;
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
