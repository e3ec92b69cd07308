/**
 * Probe of ICMP: an echo request and its reply, over a socket for pings where the system lets this program have one
 * (net.ipv4.ping_group_range), else over a raw one (CAP_NET_RAW). Where it can have neither, the result is `unknown` and
 * says what to change. Called by probe.ts, and by the doctor for what this machine allows.
 */
import type { ProbeResult } from '../../../domain/fact/health.ts';
import type { PingChecker } from '../../../domain/load-balancer/checker.ts';
import type { Clock, Timer } from '../../../lib/clock.ts';
import type { Rng } from '../../../lib/rng.ts';
import { AF_INET, AF_INET6, EAGAIN, EINTR, IPPROTO_ICMP, IPPROTO_ICMPV6, MSG_DONTWAIT } from '../../../linux/abi.ts';
import { SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW } from '../../../linux/abi.ts';
import { familyOf, sockaddr } from '../../../linux/sockaddr.ts';
import { failure } from './conversation.ts';
import { type Cookie, echoRequest, isReply } from './echo.ts';

const libc =
  process.platform === 'linux' ? await import('../../../linux/ffi/libc.ts').catch(() => undefined) : undefined;

/** limit: how late a reply is noticed; the system tells of none on such sockets. */
const LOOK_MS = 10;
/** limit: messages that are for other programs, read at one look. */
const MOST_READ = 64;
const MOST_BYTES = 2_048;

interface Ping {
  readonly fd: number;
  readonly isRaw: boolean;
}

/** How pings are sent here, or why they can't be, and what to change. */
export function pingState(): { readonly isRaw: boolean } | { readonly why: string; readonly fix: string } {
  const ping = pingSocket(AF_INET);
  if (!('fd' in ping)) return ping;
  libc?.close(ping.fd);
  return { isRaw: ping.isRaw };
}

export function probePing(
  address: string,
  { timeoutSeconds }: PingChecker,
  { clock, rng }: { readonly clock: Clock; readonly rng: Rng },
): Promise<ProbeResult> {
  const family = familyOf(address) === AF_INET6 ? 6 : 4;
  const ping = openPing(address);
  if ('verdict' in ping) return Promise.resolve(ping);
  const cookie = rng.bytes(16);
  const request = echoRequest(family, cookie);
  const sent = libc?.send(ping.fd, request, request.length, MSG_DONTWAIT) ?? 0;
  return new Promise((resolve) => {
    const end = clock.monotonic() + timeoutSeconds * 1_000;
    let timer: Timer | undefined;
    const finish = (result: ProbeResult): void => {
      timer?.cancel();
      libc?.close(ping.fd);
      resolve(result);
    };
    const look = (): void => {
      const result = read(ping, family, cookie);
      if (result) finish(result);
      else if (clock.monotonic() < end) timer = clock.after(LOOK_MS, look);
      else finish({ verdict: 'unhealthy', reason: `no answer to a ping within ${timeoutSeconds} s` });
    };
    if (sent < 0) finish(broken(sent));
    else look();
  });
}

/** Connected to the origin, so that the system tells what it hears of it being unreachable. */
function openPing(address: string): Ping | ProbeResult {
  const ping = pingSocket(familyOf(address));
  if (!('fd' in ping)) return { verdict: 'unknown', reason: `${ping.why}: ${ping.fix}` };
  const name = sockaddr(address, 0);
  const connected = libc?.connect(ping.fd, name, name.length) ?? 0;
  if (connected >= 0) return ping;
  libc?.close(ping.fd);
  return broken(connected);
}

function pingSocket(family: number): Ping | { readonly why: string; readonly fix: string } {
  if (!libc) return { why: 'pings need Linux', fix: 'check these origins by another type' };
  const protocol = family === AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
  const own = libc.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  const fd = own >= 0 ? own : libc.socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (fd >= 0) return { fd, isRaw: own < 0 };
  const fix = "widen net.ipv4.ping_group_range to this program's group, or grant it CAP_NET_RAW";
  return { why: `no socket for pings (${libc.errnoName(fd)})`, fix };
}

function read({ fd, isRaw }: Ping, family: 4 | 6, cookie: Cookie): ProbeResult | undefined {
  const bytes = new Uint8Array(MOST_BYTES);
  for (let i = 0; i < MOST_READ; i++) {
    const length = libc?.recv(fd, bytes, bytes.length, MSG_DONTWAIT) ?? 0;
    if (length === -EAGAIN || length === -EINTR) return undefined;
    if (length < 0) return broken(length);
    const hasIpHeader = isRaw && family === 4;
    if (isReply(bytes.subarray(0, length), family, cookie, hasIpHeader))
      return { verdict: 'healthy', reason: 'it answers pings' };
  }
  return undefined;
}

function broken(result: number): ProbeResult {
  const code = libc?.errnoName(result) ?? '';
  return failure(Object.assign(new Error(code), { code }));
}
