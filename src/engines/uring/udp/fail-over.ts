/**
 * UDP sessions whose origin can't be reached, or refuses: another origin gets the client, with what has not been delivered.
 * Of a session that has had no answer the first datagram is kept for that. Called by udp.ts when a send or a receive fails.
 */
import { CAUSE } from '../worker/counters.ts';
import type { Relay } from '../tcp/relay.ts';
import type { Entry } from '../worker/rule.ts';
import { addressOffset, addressSize } from '../ring/sockaddr.ts';
import { endSession, openSession } from './udp-sessions.ts';
import { place } from './udp.ts';

/** The chain that begins with `first` has left. True: it is kept for a while, or rather its first datagram or burst. */
export function holdFirst(r: Relay, flow: number, first: number): boolean {
  const { buffers, flows, held } = r.udp!;
  // Of later ones nobody knows any more whether a header is in front of them.
  if (flows.hasSent[flow] === 1) return false;
  flows.hasSent[flow] = 1;
  const { rule } = r.rules.entry(flows.entry[flow]!);
  if (flows.seniority.isAnswered(flow) || !rule.targets.hasOther(flows.target[flow]!, flows.originPort[flow]!, r.now))
    return false;
  buffers.giveChain(buffers.next[first]!);
  buffers.next[first] = -1;
  held.hold(flow, first);
  return true;
}

/**
 * The origin's host says that nobody listens there. True: the session has ended, and another origin has the client, with
 * what was held for it and with the chain that begins with `unsent` (−1: none).
 */
export function failOver(r: Relay, flow: number, unsent: number): boolean {
  const { buffers, flows, held } = r.udp!;
  const entry = r.rules.entry(flows.entry[flow]!);
  const { rule } = entry;
  const name = flows.nameOffset(flow);
  rule.targets.persistence?.forget(flows.names, addressOffset(flows.names, name), addressSize(flows.names, name));
  rule.targets.rest(flows.target[flow]!, r.now);
  if (!rule.targets.hasOther(flows.target[flow]!, flows.originPort[flow]!, r.now)) return false;
  const first = held.take(flow);
  if (first >= 0) unhead(r, flow, first, flows.firstHeader[flow]!);
  for (let b = unsent; b >= 0; b = buffers.next[b]!) unhead(r, flow, b, flows.headerSize[flow]!);
  endSession(r, flow, CAUSE['origin-refused']);
  if (first >= 0) resend(r, entry, name, first);
  for (let b = unsent; b >= 0;) {
    const next = buffers.next[b]!;
    buffers.next[b] = -1;
    resend(r, entry, name, b);
    b = next;
  }
  return true;
}

/** A datagram as its client sent it, which this session has not delivered and does not count. */
function unhead(r: Relay, flow: number, buffer: number, header: number): void {
  const { buffers, flows } = r.udp!;
  buffers.start[buffer]! += header;
  buffers.length[buffer]! -= header;
  flows.bytes[2 * flow]! -= buffers.length[buffer]!;
}

/** order: the client's address is read where its ended session had it, which only a session of its own overwrites. */
function resend(r: Relay, entry: Entry, name: number, buffer: number): void {
  const { buffers, flows, segment } = r.udp!;
  const each = segment[buffer]!;
  const size = each > 0 ? each : buffers.length[buffer]!;
  let flow = flows.find(entry.index, flows.words, name >> 2);
  if (flow < 0) flow = openSession(r, entry, flows.names, flows.words, name, size);
  if (flow < 0) buffers.give(buffer);
  else place(r, entry, flow, buffer, true);
}
