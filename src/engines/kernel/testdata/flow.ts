/** Connections as conntrack would tell of them. */
import type { Flow } from '../../../linux/netlink/conntrack.ts';
import { markOf } from '../table/marks.ts';

let ids = 0;

export function flow(change: Partial<Flow> = {}): Flow {
  return {
    family: 4,
    protocol: 6,
    original: { source: { address: '198.51.100.7', port: 40_000 }, destination: { address: '192.0.2.1', port: 80 } },
    reply: { source: { address: '10.0.0.1', port: 8080 }, destination: { address: '10.0.0.254', port: 40_000 } },
    mark: markOf(1),
    id: ++ids,
    // Replied to, and established.
    status: 6,
    state: 3,
    timeout: 600,
    bytesIn: 1000,
    packetsIn: 10,
    bytesOut: 2000,
    packetsOut: 20,
    startedAt: 1_000_000,
    endedAt: undefined,
    ...change,
  };
}
