/**
 * The C library by name, through koffi: the only file that knows there is an FFI. A call answers as the kernel does in a
 * completion: the result, or minus the errno; nothing throws. Importing this file throws where koffi has no binary, so
 * callers import it only after asking for Linux. It wraps no policy: the meaning of a call is the caller's business.
 */
import koffi from 'koffi';
import { constants } from 'node:os';

// The program's own symbols: the same text works with glibc and musl, under any name of the library's file.
const self = koffi.load(null);

/** Bytes that the callee reads or fills during the call, or an address (0 = NULL). */
export type Pointer = ArrayBufferView | number;

type Argument = Pointer | string;
type Call = (...args: Argument[]) => number;

const errno = koffi.errno;

function bind(declaration: string): Call {
  const call = self.func(declaration) as unknown as (...seven: (Argument | undefined)[]) => number;
  // not: `...args`. Spreading costs as much as the call itself; the library ignores what a function does not take.
  return (a?: Argument, b?: Argument, c?: Argument, d?: Argument, e?: Argument, f?: Argument, g?: Argument) => {
    const result = call(a, b, c, d, e, f, g);
    return result < 0 ? -errno() : result;
  };
}

/** syscall(2) with six machine words. */
export const syscall = bind(
  'long syscall(long n, intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e, intptr_t f)',
);
/** syscall(2) whose second argument is memory: io_uring_setup, bpf. */
export const syscallWithMemory = bind('long syscall(long n, intptr_t a, void *b, intptr_t c, intptr_t d)');
/** syscall(2) whose third argument is memory: io_uring_register. */
export const registerCall = bind('long syscall(long n, intptr_t fd, intptr_t op, void *arg, intptr_t count)');

export const socket = bind('int socket(int domain, int type, int protocol)');
export const bindTo = bind('int bind(int fd, void *address, unsigned int length)');
export const connect = bind('int connect(int fd, void *address, unsigned int length)');
export const listen = bind('int listen(int fd, int backlog)');
export const accept4 = bind('int accept4(int fd, void *address, void *length, int flags)');
export const setsockopt = bind('int setsockopt(int fd, int level, int name, void *value, unsigned int length)');
export const getsockopt = bind('int getsockopt(int fd, int level, int name, void *value, void *length)');
export const getsockname = bind('int getsockname(int fd, void *address, void *length)');
export const getpeername = bind('int getpeername(int fd, void *address, void *length)');
export const shutdown = bind('int shutdown(int fd, int how)');
export const send = bind('long send(int fd, void *data, size_t length, int flags)');
export const sendto = bind(
  'long sendto(int fd, void *data, size_t length, int flags, void *address, unsigned int addressLength)',
);
/** `message` is a struct msghdr (rights.ts lays it out). */
export const sendmsg = bind('long sendmsg(int fd, intptr_t message, int flags)');
export const recvmsg = bind('long recvmsg(int fd, intptr_t message, int flags)');
export const recv = bind('long recv(int fd, void *data, size_t length, int flags)');
/** Several messages by one call; `messages` is the address of struct mmsghdr. */
export const recvmmsg = bind('int recvmmsg(int fd, intptr_t messages, unsigned int count, int flags, void *timeout)');
export const close = bind('int close(int fd)');
export const eventfd = bind('int eventfd(unsigned int initial, int flags)');
export const write = bind('long write(int fd, void *data, size_t length)');
export const read = bind('long read(int fd, void *data, size_t length)');
export const openFile = bind('int open(const char *path, int flags)');
/** Reserves room on the disk for this part of a file, and keeps its content. */
export const fallocate = bind('int fallocate(int fd, int mode, int64_t offset, int64_t length)');
export const pipe2 = bind('int pipe2(void *fds, int flags)');
export const fcntl = bind('int fcntl(int fd, int command, int argument)');
export const splice = bind(
  'long splice(int from, intptr_t offIn, int to, intptr_t offOut, size_t length, unsigned int flags)',
);
/** Moves the calling thread, and what it starts from then on, into a namespace. */
export const setns = bind('int setns(int fd, int type)');
export const setrlimit = bind('int setrlimit(int resource, void *limits)');
export const getrlimit = bind('int getrlimit(int resource, void *limits)');

const mmapCall = bind('intptr_t mmap(intptr_t address, size_t length, int prot, int flags, int fd, intptr_t offset)');
const munmapCall = bind('int munmap(intptr_t address, size_t length)');
const madviseCall = bind('int madvise(intptr_t address, size_t length, int advice)');
const sysconf = bind('long sysconf(int name)');

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MADV_DONTNEED = 4;
const SC_PAGESIZE = 30;
const MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000;

/** Memory outside the JavaScript heap, at an address that never moves: the kernel may keep a pointer to it. */
export interface Slab {
  readonly address: number;
  readonly buffer: ArrayBuffer;
}

/** Zeroed pages, taken from the machine only when first touched. Minus the errno where refused. */
export function mapPages(length: number): Slab | number {
  return mapped(mmapCall(0, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0), length);
}

let pageBytes = 0;

/** Gives the pages that lie wholly in this part of a slab back to the machine; they are zero when touched again. */
export function releasePages({ address }: Slab, offset: number, length: number): void {
  pageBytes ||= sysconf(SC_PAGESIZE);
  const from = Math.ceil((address + offset) / pageBytes) * pageBytes;
  const to = Math.floor((address + offset + length) / pageBytes) * pageBytes;
  if (to > from) madviseCall(from, to - from, MADV_DONTNEED);
}

/** A device's shared memory (the rings). Minus the errno where refused. */
export function mapShared(fd: number, length: number, offset: number): Slab | number {
  return mapped(mmapCall(0, length, PROT_READ_WRITE, MAP_SHARED, fd, offset), length);
}

/**
 * Writes the 64-bit address of a place in a slab at word `at`.
 * not: an address as an argument. Beyond 32 bits a number is an object wherever a call is not inlined.
 */
export function writePointer(words: Int32Array, at: number, slab: Slab, offset: number): void {
  const address = slab.address + offset;
  words[at] = address | 0;
  words[at + 1] = (address / 4294967296) | 0;
}

/** The caller promises that no view of the slab is used again. */
export function unmap(slab: Slab): void {
  slabs.delete(slab);
  munmapCall(slab.address, slab.buffer.byteLength);
}

/** This thread's mappings, as pairs of address and length, so that another can clean up should it die. */
export function mappings(): number[] {
  return [...slabs].flatMap(({ address, buffer }) => [address, buffer.byteLength]);
}

/** For the mappings of a thread that is gone. */
export function unmapRange(address: number, length: number): void {
  munmapCall(address, length);
}

const slabs = new Set<Slab>();

function mapped(address: number, length: number): Slab | number {
  if (address < 0) return address;
  const slab = { address, buffer: koffi.view(BigInt(address), length) };
  slabs.add(slab);
  return slab;
}

// Of two names of one number the first by the alphabet: EAGAIN, not EWOULDBLOCK.
const NAMES = new Map(
  Object.entries(constants.errno)
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .map(([name, number]) => [number, name]),
);

/** `ECONNREFUSED` for -111 or 111. */
export function errnoName(number: number): string {
  return NAMES.get(Math.abs(number)) ?? `errno ${Math.abs(number)}`;
}
