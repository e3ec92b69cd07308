/**
 * One probe of one origin: PROBES has a line per type of check. An origin that policy refuses is not dialled by its check either,
 * and where a rule of this edge listens no check may look like a client. It never rejects, and its result comes within the
 * check's time-out, or a little later where names are asked for. Called by schedule.ts, for whom nothing else is a probe.
 */
import type { ProbeResult } from '../../domain/fact/health.ts';
import type { Protocol } from '../../domain/l4-rule/modes.ts';
import type { Checker, HttpChecker, PingChecker, TcpChecker, UdpChecker } from '../../domain/load-balancer/checker.ts';
import { excerpt } from '../../lib/excerpt.ts';
import type { Rng } from '../../lib/rng.ts';
import { type HttpTools, mayDial, probeHttp } from './probes/http.ts';
import { probePing } from './probes/icmp.ts';
import { probeTcp } from './probes/tcp.ts';
import { probeUdp } from './probes/udp.ts';

export interface ProbeTools extends HttpTools {
  readonly rng: Rng;
  /** Whether a listener of this edge answers there; absent: none does. */
  readonly isOwn?: (protocol: Protocol, address: string, port: number) => boolean;
}

type Probe<C> = (address: string, checker: C, tools: ProbeTools) => Promise<ProbeResult>;

interface Probes {
  readonly TCP: Probe<TcpChecker>;
  readonly UDP: Probe<UdpChecker>;
  readonly HTTP: Probe<HttpChecker>;
  readonly HTTPS: Probe<HttpChecker>;
  readonly 'ICMP Ping': Probe<PingChecker>;
}

const PROBES: Probes = {
  TCP: (address, checker, { clock }) => probeTcp(address, checker, clock),
  UDP: (address, checker, { clock }) => probeUdp(address, checker, clock),
  HTTP: probeHttp,
  HTTPS: probeHttp,
  'ICMP Ping': probePing,
};

/** `address`: IPv4 or IPv6. */
export async function probe(address: string, checker: Checker, tools: ProbeTools): Promise<ProbeResult> {
  if (!mayDial(address, tools.egress)) return { verdict: 'unhealthy', reason: `denied: ${address} is not dialled` };
  const protocol = checker.type === 'UDP' ? 'UDP' : 'TCP';
  if ('port' in checker && tools.isOwn?.(protocol, address, checker.port)) {
    const host = address.includes(':') ? `[${address}]` : address;
    return { verdict: 'unknown', reason: `loop: ${protocol} ${host}:${checker.port} is a listener of this edge` };
  }
  try {
    return await (PROBES[checker.type] as Probe<Checker>)(address, checker, tools);
  } catch (error) {
    // What a probe is asked to do may be impossible (a port beyond 65535 in a record of another version).
    return { verdict: 'unknown', reason: excerpt(`this machine could not probe: ${(error as Error).message}`) };
  }
}
