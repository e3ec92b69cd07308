/**
 * Datagrams on their way back: the session's header comes off, where the mode asks for one, and the rest leaves by the socket
 * that the client spoke to. What is not a reply to this session is dropped and counted. udp.ts receives and sends.
 */
import { datagramsOf, segmentOf } from './burst.ts';
import { BYTES_OUT, DROP, PACKETS_OUT } from '../worker/counters.ts';
import { HEADER_BYTES } from './flows.ts';
import { OP, sendDatagram } from '../ring/operations.ts';
import type { Relay } from '../tcp/relay.ts';
import type { Entry } from '../worker/rule.ts';
import { REPLY_HEAD } from '../worker/shape.ts';
import { familyAt, sizeOfFamily } from '../ring/sockaddr.ts';
import { apart } from './udp.ts';

/** An origin's datagram or burst of `size` bytes. A lone empty datagram comes without a buffer (−1). */
export function replied(r: Relay, flow: number, buffer: number, size: number, bursts: boolean): void {
  const { buffers, flows, gather, segment, words } = r.udp!;
  const entry = r.rules.entry(flows.entry[flow]!);
  flows.seniority.answered(flow, r.now);
  r.udp!.held.drop(flow);
  if (buffer < 0) return backEmpty(r, entry, flow);
  const each = bursts ? segmentOf(words, buffers.start[buffer]!, 0) : 0;
  if (bursts) buffers.start[buffer]! += REPLY_HEAD;
  buffers.length[buffer] = size;
  segment[buffer] = each < size ? each : 0;
  if (entry.closing) buffers.give(buffer);
  else if (segment[buffer] === 0 || (entry.rule.pass.replyHeader === 0 && gather.takes(2 * flow + 1, each)))
    back(r, entry, flow, buffer);
  else apart(r, 2 * flow + 1, buffer, (part) => back(r, entry, flow, part));
}

/** The datagram in the buffer goes to the client without its header, or it is dropped and counted; or the burst, which has none. */
function back(r: Relay, entry: Entry, flow: number, buffer: number): void {
  const { buffers, gather, segment } = r.udp!;
  const cut = entry.rule.pass.replyHeader;
  const size = buffers.length[buffer]! - cut;
  const each = segment[buffer]!;
  if (cut > 0 && !isHeaded(r, flow, buffer, cut)) {
    entry.rule.row[size < 0 ? DROP.short : DROP.header]! += 1;
    return buffers.give(buffer);
  }
  countReply(r, entry, flow, size, datagramsOf(size, each));
  buffers.start[buffer]! += cut;
  buffers.length[buffer] = size;
  gather.add(2 * flow + 1, buffer, each);
}

/** Whether a reply begins with its session's header. */
function isHeaded(r: Relay, flow: number, buffer: number, cut: number): boolean {
  const { buffers, flows } = r.udp!;
  if (buffers.length[buffer]! < cut) return false;
  const [mine, at] = [flow * HEADER_BYTES, buffers.start[buffer]!];
  for (let i = 0; i < cut; i++) if (buffers.memory[at + i] !== flows.headers[mine + i]) return false;
  return true;
}

function backEmpty(r: Relay, entry: Entry, flow: number): void {
  const { flows, gather } = r.udp!;
  if (entry.rule.pass.replyHeader > 0) {
    entry.rule.row[DROP.short]! += 1;
    return;
  }
  if (entry.closing) return;
  countReply(r, entry, flow, 0, 1);
  gather.flush(2 * flow + 1);
  const name = flows.nameOffset(flow);
  const nameSize = sizeOfFamily(familyAt(flows.names, name));
  const generation = flows.generation[flow]!;
  const { nameSlab } = flows;
  sendDatagram(r.ring, entry.fd, nameSlab, name, 0, nameSlab, name, nameSize, OP.IGNORE, 0, generation, 0);
}

function countReply(r: Relay, { rule: { row } }: Entry, flow: number, bytes: number, datagrams: number): void {
  r.udp!.flows.bytes[2 * flow + 1]! += bytes;
  row[BYTES_OUT]! += bytes;
  row[PACKETS_OUT]! += datagrams;
}
