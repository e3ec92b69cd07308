/**
 * A second opinion on what passed: counts IPv4 packets that come in on a link with a packet socket (root), by endpoint. On a
 * thread of its own, so that it keeps up. Length is that of the whole IP packet, headers included, link header excluded.
 */
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface Passed {
  packets: number;
  bytes: number;
}

interface PacketCount {
  /** What came from and what came for these ports of an address; `protocol`: 6 or 17. */
  between(address: string, protocol: number, isPort: (port: number) => boolean): { to: Passed; from: Passed };
}

interface Counting {
  /** Stops. Throws where the socket lost a packet. */
  end(): Promise<PacketCount>;
}

/** Which link of which network namespace. */
export async function countPackets(namespace: string, link: string): Promise<Counting> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('packet-counter.ts', import.meta.url), { workerData: { namespace, link, stop } });
  await once(worker, 'message');
  return {
    async end() {
      Atomics.store(stop, 0, 1);
      const [{ rows, lost }] = (await once(worker, 'message')) as [{ rows: Map<string, Passed>; lost: number }];
      if (lost > 0) throw new Error(`the packet socket lost ${lost} packets: nothing can be said`);
      return {
        between(address, protocol, isPort) {
          const sum = (way: 'to' | 'from'): Passed => {
            const total = { packets: 0, bytes: 0 };
            for (const [key, { packets, bytes }] of rows) {
              const [direction, ofProtocol, ofAddress, port] = key.split(' ');
              if (direction !== way || Number(ofProtocol) !== protocol || ofAddress !== address) continue;
              if (!isPort(Number(port))) continue;
              total.packets += packets;
              total.bytes += bytes;
            }
            return total;
          };
          return { to: sum('to'), from: sum('from') };
        },
      };
    },
  };
}

/** In the calling thread's namespace. */
export function linkIndex(link: string): number {
  const line = readFileSync('/proc/thread-self/net/igmp', 'latin1')
    .split('\n')
    .find((line) => line.split('\t')[1]?.split(/\s/)[0] === link);
  return Number(line?.split('\t')[0]);
}
