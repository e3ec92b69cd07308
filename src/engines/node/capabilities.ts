/** The node engine's capabilities on this host; known without making one. */
import { networkInterfaces } from 'node:os';
import type { Capabilities } from '../engine.ts';

export function nodeCapabilities(): Capabilities {
  return {
    modes: ['OFF', 'PPV1', 'PPV2', 'SPP'],
    protocols: ['TCP', 'UDP'],
    ipv6: Object.values(networkInterfaces()).some((list) => list?.some((address) => address.family === 'IPv6')),
    nextOrigin: true,
  };
}
