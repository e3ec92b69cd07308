/** System error codes → an end cause for a connection, a sentence for a bind that failed. Pure; all engines use it. */
import type { EndCause } from '../../domain/fact/fact.ts';
import type { BindPoint } from './endpoints.ts';

const DIAL_CAUSES: Readonly<Record<string, EndCause>> = {
  ECONNREFUSED: 'origin-refused',
  // The origin took the handshake back: to the client no different from a refusal.
  ECONNRESET: 'origin-refused',
  ETIMEDOUT: 'origin-timeout',
  EHOSTUNREACH: 'origin-unreachable',
  EHOSTDOWN: 'origin-unreachable',
  ENETUNREACH: 'origin-unreachable',
  ENETDOWN: 'origin-unreachable',
  // The system has no port left to dial this origin from; of UDP the last one.
  EADDRNOTAVAIL: 'no-source-port',
  EADDRINUSE: 'no-source-port',
  EAGAIN: 'no-source-port',
  EAFNOSUPPORT: 'origin-unreachable',
  // A local firewall answers a connect with these two.
  EACCES: 'origin-unreachable',
  EPERM: 'origin-unreachable',
  EINVAL: 'origin-unreachable',
};

export function dialCause(code: string | undefined): EndCause {
  return DIAL_CAUSES[String(code)] ?? 'error';
}

/** The port that a dial was to come from is in use towards this origin: the next one may be free. */
export function isPortRefused(code: string | undefined): boolean {
  return code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL';
}

/** No descriptor was left: that says nothing about the origin. */
export function isOutOfDescriptors(code: string | undefined): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}

/** One line for the machine's operator: where the bind failed, why, and what to do. `isOurs`: this program has the port. */
export function bindReason(
  code: string | undefined,
  { protocol, address, port }: BindPoint,
  needed: number,
  isOurs: (protocol: 'TCP' | 'UDP', port: number) => boolean,
): string {
  const where = `${protocol} ${address.includes(':') ? `[${address}]` : address}:${port}`;
  switch (code) {
    case 'EADDRINUSE': {
      if (isOurs(protocol, port))
        return `${where} is in use by this program itself: its API, DNS or metrics, another rule, or a UDP session; choose another port`;
      const show = protocol === 'TCP' ? 'ss -ltnp' : 'ss -lunp';
      return `${where} is in use by another program (see: ${show} 'sport = :${port}'); stop it or choose another port`;
    }
    case 'EACCES':
    case 'EPERM':
      return (
        `no permission to bind ${where}; ports below 1024 need CAP_NET_BIND_SERVICE ` +
        `or sysctl net.ipv4.ip_unprivileged_port_start=${port}`
      );
    case 'EADDRNOTAVAIL':
      return `${where}: the address is not on this machine; add it to an interface or correct the entry addresses`;
    case 'EAFNOSUPPORT':
      return `${where}: this machine has no IPv6; enable it or remove the address`;
    case 'EMFILE':
    case 'ENFILE':
      return `${where}: out of descriptors; the rule needs ${needed} listening sockets, raise the limit (ulimit -n)`;
    case undefined:
    default:
      return `cannot bind ${where}: ${code ?? 'unknown error'}`;
  }
}
