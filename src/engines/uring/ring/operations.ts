/**
 * Operations on a ring, one function each, and the 64 bits by which their completions find their way back. The low word
 * names the operation and its direction or session, the high word the life of that slot and the buffer that it carries:
 * so a completion that comes too late is known as such, and still returns its buffer.
 *
 *   low:  operation (4 bits) | index of a direction, flow, accept … (28 bits)
 *   high: generation of the slot (16 bits) | buffer or attempt (16 bits)
 */
import {
  AF_INET6,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  MSG_WAITALL,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from '../../../linux/abi.ts';
import {
  IORING_ASYNC_CANCEL_ALL,
  IORING_ASYNC_CANCEL_FD,
  IORING_OP_ACCEPT,
  IORING_OP_ASYNC_CANCEL,
  IORING_OP_BIND,
  IORING_OP_CLOSE,
  IORING_OP_CONNECT,
  IORING_OP_POLL_ADD,
  IORING_OP_RECV,
  IORING_OP_RECVMSG,
  IORING_OP_SEND,
  IORING_OP_SENDMSG,
  IORING_OP_SOCKET,
  IORING_OP_URING_CMD,
  IORING_POLL_ADD_MULTI,
  IORING_RECVSEND_POLL_FIRST,
  IORING_RECV_MULTISHOT,
  IOSQE_BUFFER_SELECT,
  IOSQE_CQE_SKIP_SUCCESS,
  IOSQE_IO_LINK,
  SOCKET_URING_OP_SETSOCKOPT,
} from './abi.ts';
import { writePointer } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { SQE } from './ring.ts';
import type { Ring } from './ring.ts';
import { SOCKADDR_IN, SOCKADDR_IN6 } from '../../../linux/sockaddr.ts';

/** The operations, as completions name them. */
export const OP = {
  IGNORE: 0,
  WAKE: 1,
  ACCEPT: 2,
  SOCKET: 3,
  CONNECT: 4,
  RECEIVE: 5,
  SEND: 6,
  POLL: 7,
  UDP_CLIENT: 8,
  UDP_ORIGIN: 9,
  UDP_SEND: 10,
  UDP_SEND_AGAIN: 11,
  UDP_ORIGIN_BURST: 12,
  WATCH: 13,
  BIND: 14,
} as const;

/** How worker.ts reads the two words: not by functions, because it does so for each completion. */
export const OP_BITS = 4;
export const OP_MASK = (1 << OP_BITS) - 1;
export const TOKEN_SHIFT = 16;
export const GENERATION_MASK = (1 << TOKEN_SHIFT) - 1;

const low = (op: number, index: number): number => op | (index << OP_BITS);
const high = (generation: number, token: number): number => generation | (token << TOKEN_SHIFT);

/** Accepts one connection and writes its peer's address (NAME_BYTES) at `name` of the slab; the word at `length` has its size. */
export function accept(ring: Ring, fd: number, area: number, names: Slab, name: number, length: number): void {
  const i = ring.sqe(IORING_OP_ACCEPT, 0, 0, fd, low(OP.ACCEPT, area), 0);
  writePointer(ring.sqes, i + SQE.addr, names, name);
  writePointer(ring.sqes, i + SQE.off, names, length);
  // Non-blocking for the sake of splice(2) and shutdown(2); the ring itself would not care.
  ring.sqes[i + SQE.opFlags] = SOCK_NONBLOCK | SOCK_CLOEXEC;
}

export function openSocket(ring: Ring, family: number, slot: number, generation: number, attempt: number): void {
  const i = ring.sqe(IORING_OP_SOCKET, 0, 0, family, low(OP.SOCKET, slot), high(generation, attempt));
  ring.sqes[i + SQE.off] = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
}

/**
 * Linux 6.11 or newer (tcp/source-ports.ts knows). Completes only where it is refused; then the operation that is submitted
 * directly behind it is cancelled, and does not complete.
 */
export function bindName(
  ring: Ring,
  fd: number,
  names: Slab,
  name: number,
  size: number,
  slot: number,
  generation: number,
  attempt: number,
): void {
  const flags = IOSQE_CQE_SKIP_SUCCESS | IOSQE_IO_LINK;
  const i = ring.sqe(IORING_OP_BIND, flags, 0, fd, low(OP.BIND, slot), high(generation, attempt));
  writePointer(ring.sqes, i + SQE.addr, names, name);
  ring.sqes[i + SQE.off] = size;
}

export function connect(
  ring: Ring,
  fd: number,
  names: Slab,
  name: number,
  family: number,
  slot: number,
  generation: number,
  attempt: number,
): void {
  const i = ring.sqe(IORING_OP_CONNECT, 0, 0, fd, low(OP.CONNECT, slot), high(generation, attempt));
  writePointer(ring.sqes, i + SQE.addr, names, name);
  ring.sqes[i + SQE.off] = family === AF_INET6 ? SOCKADDR_IN6 : SOCKADDR_IN;
}

/** Arms a multishot receive: one completion per arrival, each with a buffer of the group, until it says so. */
export function receive(
  ring: Ring,
  fd: number,
  group: number,
  pollFirst: boolean,
  op: number,
  index: number,
  generation: number,
): void {
  const how = IORING_RECV_MULTISHOT | (pollFirst ? IORING_RECVSEND_POLL_FIRST : 0);
  const i = ring.sqe(IORING_OP_RECV, IOSQE_BUFFER_SELECT, how, fd, low(op, index), high(generation, 0));
  ring.sqes[i + SQE.bufGroup] = group;
}

/** The same for datagrams with their sender's address; the struct msghdr at `message` says how much room to leave for that. */
export function receiveMessages(
  ring: Ring,
  fd: number,
  group: number,
  messages: Slab,
  message: number,
  op: number,
  index: number,
  generation: number,
): void {
  const i = ring.sqe(
    IORING_OP_RECVMSG,
    IOSQE_BUFFER_SELECT,
    IORING_RECV_MULTISHOT,
    fd,
    low(op, index),
    high(generation, 0),
  );
  writePointer(ring.sqes, i + SQE.addr, messages, message);
  ring.sqes[i + SQE.len] = 1;
  ring.sqes[i + SQE.bufGroup] = group;
}

/** Sends all of it, or fails: a full socket buffer is waited for by the kernel. */
export function send(
  ring: Ring,
  fd: number,
  memory: Slab,
  from: number,
  length: number,
  direction: number,
  generation: number,
  buffer: number,
): void {
  const i = ring.sqe(IORING_OP_SEND, 0, 0, fd, low(OP.SEND, direction), high(generation, buffer));
  writePointer(ring.sqes, i + SQE.addr, memory, from);
  ring.sqes[i + SQE.len] = length;
  ring.sqes[i + SQE.opFlags] = MSG_NOSIGNAL | MSG_WAITALL;
}

/** Sends a datagram now or fails; with `name` (of `nameSize` bytes) to that address, else to the connected peer. */
export function sendDatagram(
  ring: Ring,
  fd: number,
  memory: Slab,
  from: number,
  length: number,
  names: Slab,
  name: number,
  nameSize: number,
  op: number,
  index: number,
  generation: number,
  buffer: number,
): void {
  const i = ring.sqe(IORING_OP_SEND, 0, 0, fd, low(op, index), high(generation, buffer));
  writePointer(ring.sqes, i + SQE.addr, memory, from);
  ring.sqes[i + SQE.len] = length;
  ring.sqes[i + SQE.opFlags] = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (nameSize === 0) return;
  writePointer(ring.sqes, i + SQE.off, names, name);
  ring.sqes[i + SQE.spliceFd] = nameSize;
}

/** Sends the datagrams that a struct msghdr describes, now or not at all. */
export function sendMessage(
  ring: Ring,
  fd: number,
  messages: Slab,
  message: number,
  op: number,
  index: number,
  generation: number,
  buffer: number,
): void {
  const i = ring.sqe(IORING_OP_SENDMSG, 0, 0, fd, low(op, index), high(generation, buffer));
  writePointer(ring.sqes, i + SQE.addr, messages, message);
  ring.sqes[i + SQE.len] = 1;
  ring.sqes[i + SQE.opFlags] = MSG_NOSIGNAL | MSG_DONTWAIT;
}

/** Completes once when one of `events` (or an error) is there. */
export function poll(ring: Ring, fd: number, events: number, direction: number, generation: number): void {
  const i = ring.sqe(IORING_OP_POLL_ADD, 0, 0, fd, low(OP.POLL, direction), high(generation, 0));
  ring.sqes[i + SQE.opFlags] = events;
}

/** Completes when the socket has an error or an end: the kernel tells of these unasked, and of an end that is there, too. */
export function watchErrors(ring: Ring, fd: number, slot: number, generation: number): void {
  const i = ring.sqe(IORING_OP_POLL_ADD, 0, 0, fd, low(OP.WATCH, slot), high(generation, 0));
  ring.sqes[i + SQE.len] = IORING_POLL_ADD_MULTI;
}

/** Completes each time the eventfd is written to. */
export function watch(ring: Ring, fd: number): void {
  const i = ring.sqe(IORING_OP_POLL_ADD, 0, 0, fd, low(OP.WAKE, 0), 0);
  ring.sqes[i + SQE.opFlags] = POLLIN;
  ring.sqes[i + SQE.len] = IORING_POLL_ADD_MULTI;
}

/**
 * Ends one operation, named as its completion would be (`token`: its buffer or attempt, else 0): that completes with ECANCELED
 * unless it was just completing with something better. close() after it in the same batch is safe.
 */
export function cancel(ring: Ring, op: number, index: number, generation: number, token: number): void {
  const i = ring.sqe(IORING_OP_ASYNC_CANCEL, IOSQE_CQE_SKIP_SUCCESS, 0, -1, OP.IGNORE, 0);
  ring.sqes[i + SQE.addr] = low(op, index);
  ring.sqes[i + SQE.addrHigh] = high(generation, token);
}

/**
 * Ends everything under way on a descriptor; close() after it in the same batch is safe. limit: the kernel looks through all
 * that waits on the ring, so this is for sockets that rules have, not for those that connections have.
 */
export function cancelAll(ring: Ring, fd: number): void {
  const i = ring.sqe(IORING_OP_ASYNC_CANCEL, IOSQE_CQE_SKIP_SUCCESS, 0, fd, OP.IGNORE, 0);
  ring.sqes[i + SQE.opFlags] = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL;
}

export function close(ring: Ring, fd: number): void {
  ring.sqe(IORING_OP_CLOSE, IOSQE_CQE_SKIP_SUCCESS, 0, fd, OP.IGNORE, 0);
}

/**
 * Sets an integer option to the one at `value` of the slab; Linux 6.7 or newer (options.ts knows). Nothing depends on its
 * success.
 */
export function setOption(ring: Ring, fd: number, level: number, name: number, values: Slab, value: number): void {
  const i = ring.sqe(IORING_OP_URING_CMD, IOSQE_CQE_SKIP_SUCCESS, 0, fd, OP.IGNORE, 0);
  ring.sqes[i + SQE.off] = SOCKET_URING_OP_SETSOCKOPT;
  ring.sqes[i + SQE.addr] = level;
  ring.sqes[i + SQE.addrHigh] = name;
  ring.sqes[i + SQE.spliceFd] = 4;
  writePointer(ring.sqes, i + SQE.addr3, values, value);
}
