/**
 * A client's datagrams on their way to the session's origin: the header goes in front, where the mode asks for one. A
 * datagram that is too large with it is dropped and counted. Called by udp.ts, and by fail-over.ts for another origin.
 */
import { LARGEST_DATAGRAM_V4, LARGEST_DATAGRAM_V6 } from '../../flow/behaviour.ts';
import { AF_INET6 } from '../../../linux/abi.ts';
import { detach } from '../ring/buffers.ts';
import { BYTES_IN, DROP, PACKETS_IN } from '../worker/counters.ts';
import { headsEach } from '../worker/rule.ts';
import type { Entry } from '../worker/rule.ts';
import type { WorkerState } from '../worker/state.ts';
import { HEADER_BYTES } from './flows.ts';
import { enqueue, split } from './send.ts';
import type { Sending } from './send.ts';

export interface Forwarding extends Sending {
  readonly clock: WorkerState['clock'];
}

/** The datagram or burst in the buffer goes to the origin; `again`: it is counted already, with a session whose origin failed. */
export function forward(u: Forwarding, entry: Entry, flow: number, buffer: number, again: boolean): void {
  const { flows, gso } = u;
  const { buffers, segment } = u.datagrams;
  const each = segment[buffer]!;
  if (each === 0 || (flows.headers.size[flow] === 0 && gso.takes(2 * flow, each)))
    return head(u, entry, flow, buffer, again);
  split(u, 2 * flow, buffer);
  for (let part = buffer; part >= 0;) {
    const next = detach(buffers, part);
    head(u, entry, flow, part, again);
    part = next;
  }
}

/** Puts the header in front of a datagram; or sends a burst on, which gets none. */
function head(u: Forwarding, entry: Entry, flow: number, buffer: number, again: boolean): void {
  const { headers, lives, origins } = u.flows;
  const { buffers, segment } = u.datagrams;
  const { row } = entry.rule;
  const size = buffers.length[buffer]!;
  const header = headers.size[flow]!;
  const largest = origins.family[flow] === AF_INET6 ? LARGEST_DATAGRAM_V6 : LARGEST_DATAGRAM_V4;
  if (segment[buffer] === 0 && size + header > largest) {
    row[DROP.oversize]! += 1;
    return buffers.give(buffer);
  }
  const from = buffers.start[buffer]! - header;
  for (let i = 0; i < header; i++) buffers.memory[from + i] = headers.bytes[flow * HEADER_BYTES + i]!;
  if (!headsEach(entry.rule)) headers.size[flow] = 0;
  lives.seniority.heard(flow, u.clock.now);
  lives.bytes[2 * flow]! += size;
  if (!again) {
    row[BYTES_IN]! += size;
    row[PACKETS_IN]! += u.datagrams.count(buffer);
  }
  buffers.start[buffer] = from;
  buffers.length[buffer] = size + header;
  enqueue(u, 2 * flow, buffer);
}
