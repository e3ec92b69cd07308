/**
 * An origin's datagrams on their way back: the session's header comes off, where the mode asks for one, and the rest leaves
 * by the socket that the client spoke to. A datagram that is no reply to this session is dropped and counted. Called by
 * udp.ts.
 */
import { detach } from '../ring/buffers.ts';
import { BYTES_OUT, DROP, PACKETS_OUT } from '../worker/counters.ts';
import type { Entry } from '../worker/rule.ts';
import type { WorkerState } from '../worker/state.ts';
import { REPLY_HEAD } from '../worker/memory.ts';
import { segmentOf } from './datagrams.ts';
import type { FirstDatagrams } from './first-datagrams.ts';
import { HEADER_BYTES } from './flows.ts';
import type { Forwarding } from './forward.ts';
import { enqueue, sendEmptyReply, split } from './send.ts';

interface Replying extends Forwarding {
  readonly firsts: FirstDatagrams;
  readonly outcomes: WorkerState['outcomes'];
}

/** An origin's datagram or burst of `size` bytes. A lone empty datagram comes without a buffer (−1). */
export function replied(u: Replying, flow: number, buffer: number, size: number, bursts: boolean): void {
  const { flows, datagrams } = u;
  const { buffers, segment } = datagrams;
  const entry = u.rules.entry(flows.entry[flow]!);
  const { seniority } = flows.lives;
  if (!seniority.isAnswered(flow)) u.outcomes.ok(flows.origins.target[flow]!);
  seniority.answered(flow, u.clock.now);
  u.firsts.drop(flow);
  if (buffer < 0) return backEmpty(u, entry, flow);
  const start = buffers.start[buffer]!;
  if (bursts) datagrams.describe(buffer, start + REPLY_HEAD, size, segmentOf(datagrams.words, start, 0));
  else datagrams.describe(buffer, start, size, 0);
  if (entry.closing) return buffers.give(buffer);
  const isSentWhole = entry.rule.pass.replyHeader === 0 && u.gso.takes(2 * flow + 1, segment[buffer]!);
  if (segment[buffer] === 0 || isSentWhole) return back(u, entry, flow, buffer);
  split(u, 2 * flow + 1, buffer);
  for (let part = buffer; part >= 0;) {
    const next = detach(buffers, part);
    back(u, entry, flow, part);
    part = next;
  }
}

/** The datagram in the buffer goes to the client without its header, or it is dropped and counted; or the burst, which has none. */
function back(u: Replying, entry: Entry, flow: number, buffer: number): void {
  const { buffers } = u.datagrams;
  const header = entry.rule.pass.replyHeader;
  const size = buffers.length[buffer]! - header;
  if (header > 0 && !hasHeader(u, flow, buffer, header)) {
    entry.rule.row[size < 0 ? DROP.short : DROP.header]! += 1;
    return buffers.give(buffer);
  }
  buffers.start[buffer]! += header;
  buffers.length[buffer] = size;
  countReply(u, entry, flow, size, u.datagrams.count(buffer));
  enqueue(u, 2 * flow + 1, buffer);
}

/** Whether a reply begins with its session's header. */
function hasHeader({ flows, datagrams }: Replying, flow: number, buffer: number, size: number): boolean {
  const { start, length, memory } = datagrams.buffers;
  if (length[buffer]! < size) return false;
  const own = flow * HEADER_BYTES;
  const at = start[buffer]!;
  for (let i = 0; i < size; i++) if (memory[at + i] !== flows.headers.bytes[own + i]) return false;
  return true;
}

function backEmpty(u: Replying, entry: Entry, flow: number): void {
  if (entry.rule.pass.replyHeader > 0) {
    entry.rule.row[DROP.short]! += 1;
    return;
  }
  if (entry.closing) return;
  countReply(u, entry, flow, 0, 1);
  sendEmptyReply(u, flow, entry.fd);
}

function countReply(
  { flows }: Replying,
  { rule: { row } }: Entry,
  flow: number,
  bytes: number,
  datagrams: number,
): void {
  flows.lives.bytes[2 * flow + 1]! += bytes;
  row[BYTES_OUT]! += bytes;
  row[PACKETS_OUT]! += datagrams;
}
