/**
 * What the program asks of the kernel beyond what Node itself does: the one list that deploy/ is held to (and it to the
 * calls that are bound here) by test/house/deploy.test.ts. A new call, capability or kind of socket begins with a line
 * here. Pure; it grants nothing.
 */
interface Need {
  /** The part of EdgeFour that uses it, and that a unit without it would lack. */
  readonly by: string;
  /** Only with a line of the unit that is off by default. */
  readonly isOption?: true;
}

const relay: Need = { by: 'the uring engine' };
const sockets: Need = { by: 'the uring engine, netlink and upgrades' };

/** System calls, by the kernel's name. */
export const SYSTEM_CALLS: Readonly<Record<string, Need>> = {
  io_uring_setup: relay,
  io_uring_enter: relay,
  io_uring_register: relay,
  splice: relay,
  pipe2: relay,
  eventfd2: relay,
  accept4: relay,
  listen: relay,
  connect: relay,
  shutdown: relay,
  madvise: relay,
  socket: sockets,
  bind: sockets,
  setsockopt: sockets,
  getsockopt: sockets,
  getsockname: sockets,
  getpeername: sockets,
  sendto: sockets,
  sendmsg: sockets,
  recvfrom: sockets,
  recvmsg: sockets,
  recvmmsg: sockets,
  openat: sockets,
  read: sockets,
  write: sockets,
  close: sockets,
  fcntl: sockets,
  fallocate: { by: 'the kernel engine’s counters, in a file that is mapped' },
  mmap: sockets,
  munmap: sockets,
  prlimit64: { by: 'the limit of open files, raised at the start' },
  bpf: { by: 'TOA, and one socket for thousands of TCP ports', isOption: true },
};

export const CAPABILITIES: Readonly<Record<string, Need>> = {
  CAP_NET_BIND_SERVICE: { by: 'rules on ports below 1024' },
  CAP_NET_ADMIN: { by: 'the kernel engine, limits in the kernel, and all that CAP_BPF is for', isOption: true },
  CAP_NET_RAW: { by: 'health checks by ping where net.ipv4.ping_group_range does not allow them', isOption: true },
  CAP_BPF: { by: 'TOA, and one socket for thousands of TCP ports', isOption: true },
};

export const SOCKET_FAMILIES: Readonly<Record<string, Need>> = {
  AF_UNIX: { by: 'the link, and descriptors in an upgrade' },
  AF_INET: { by: 'traffic' },
  AF_INET6: { by: 'traffic' },
  AF_NETLINK: { by: 'interfaces, and the kernel engine' },
};

/** Functions of the C library by which these are called, where their names differ; '' where there is no call behind. */
export const CALLED: Readonly<Record<string, string>> = {
  eventfd: 'eventfd2',
  open: 'openat',
  send: 'sendto',
  recv: 'recvfrom',
  setrlimit: 'prlimit64',
  getrlimit: 'prlimit64',
  sysconf: '',
  // Only tests change the namespace that they are in; a unit need not allow it.
  setns: '',
};
