/**
 * Descriptors that travel with bytes over a Unix socket (SCM_RIGHTS): how one process gives its sockets to another. Lays
 * out struct msghdr for sendmsg and recvmsg on 64-bit Linux, and never waits. What the bytes say is handoff's.
 */
import {
  AF_UNIX,
  EMFILE,
  ENAMETOOLONG,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SCM_RIGHTS,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_PEERCRED,
} from '../abi.ts';
import { close, connect, getsockopt, mapPages, recvmsg, sendmsg, type Slab, socket, writePointer } from './libc.ts';

/** limit: the kernel takes 253 in one message (SCM_MAX_FD). */
export const MOST_DESCRIPTORS = 128;
/** limit: bytes that one call takes in. */
const DATA_BYTES = 65_536;

const SUN_PATH_BYTES = 108;

/** struct msghdr, struct iovec, then the control message and the bytes. As words of four bytes. */
const IOV = 64;
const CONTROL = 128;
const DATA = 4096;
const CMSG_HEADER = 16;
const CONTROL_BYTES = CMSG_HEADER + MOST_DESCRIPTORS * 4;

interface Received {
  /** None: the other end is gone. */
  readonly bytes: Uint8Array;
  readonly descriptors: readonly number[];
}

let room: Slab | undefined;

function message(length: number, control: number): { words: Int32Array; bytes: Uint8Array; address: number } {
  if (!room) {
    const pages = mapPages(DATA + DATA_BYTES);
    if (typeof pages === 'number') throw new Error('no memory for a message');
    room = pages;
  }
  const words = new Int32Array(room.buffer);
  words.fill(0, 0, DATA >> 2);
  writePointer(words, 16 >> 2, room, IOV);
  words[24 >> 2] = 1;
  if (control > 0) writePointer(words, 32 >> 2, room, CONTROL);
  words[40 >> 2] = control;
  writePointer(words, IOV >> 2, room, DATA);
  words[(IOV + 8) >> 2] = length;
  return { words, bytes: new Uint8Array(room.buffer), address: room.address };
}

/** A connection to the socket at `path`, or minus the errno. */
export function connectUnix(path: string): number {
  const name = Buffer.from(path);
  if (name.length >= SUN_PATH_BYTES) return -ENAMETOOLONG;
  const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  const address = Buffer.alloc(2 + name.length + 1);
  address.writeUInt16LE(AF_UNIX);
  name.copy(address, 2);
  const refused = connect(fd, address, address.length);
  if (refused >= 0) return fd;
  close(fd);
  return refused;
}

/** The process that listens at the other end; undefined where the system does not say. */
export function peerOf(fd: number): number | undefined {
  const credentials = new Int32Array(3);
  const refused = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, Int32Array.of(credentials.byteLength)) < 0;
  return refused ? undefined : credentials[0] || undefined;
}

/** How many of the bytes went, or minus the errno; the descriptors go with the first. They stay open here. */
export function sendRights(fd: number, data: Uint8Array, descriptors: readonly number[]): number {
  const sent = data.subarray(0, DATA_BYTES);
  const control = descriptors.length === 0 ? 0 : CMSG_HEADER + descriptors.length * 4;
  const { words, bytes, address } = message(sent.length, control);
  bytes.set(sent, DATA);
  if (control > 0) {
    words.set([control, 0, SOL_SOCKET, SCM_RIGHTS], CONTROL >> 2);
    words.set(descriptors, (CONTROL + CMSG_HEADER) >> 2);
  }
  return sendmsg(fd, address, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/** Reads what has come, or minus the errno (EAGAIN: nothing yet). The descriptors are the caller's to close. */
export function receiveRights(fd: number): Received | number {
  const { words, bytes, address } = message(DATA_BYTES, CONTROL_BYTES);
  const size = recvmsg(fd, address, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0) return size;
  const at = CONTROL >> 2;
  const isRights = (words[40 >> 2] ?? 0) >= CMSG_HEADER && words[at + 2] === SOL_SOCKET && words[at + 3] === SCM_RIGHTS;
  const count = isRights ? ((words[at] ?? 0) - CMSG_HEADER) >> 2 : 0;
  const descriptors = [...words.subarray(at + 4, at + 4 + count)];
  if (((words[48 >> 2] ?? 0) & MSG_CTRUNC) === 0) return { bytes: bytes.slice(DATA, DATA + size), descriptors };
  // The system has dropped some: this process may not have so many.
  for (const one of descriptors) close(one);
  return -EMFILE;
}
