/** Which health checks of origins this machine can do: pings alone need more than every program has. Pure. */
import { type Finding, ok, warn } from '../../observe/finding.ts';
import type { pingState } from '../health/probes/icmp.ts';

export function healthCheckFinding(ping: ReturnType<typeof pingState>): Finding {
  const about = 'health checks';
  const plain = 'TCP, UDP, HTTP, HTTPS';
  if (!('why' in ping)) return ok(about, `${plain}, ICMP Ping (over ${ping.isRaw ? 'raw' : 'ping'} sockets)`);
  return warn(about, `${plain}; not ICMP Ping: ${ping.why}`, `Only if origins are checked by ICMP Ping: ${ping.fix}.`);
}
