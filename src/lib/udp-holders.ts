/**
 * Who has a UDP port, as the system lists it. A session's socket is connected and takes its origin's datagrams alone, so a
 * rule may listen beside it; whoever listens there already is in the way. Engines ask when a bind is refused.
 */
import { readFileSync } from 'node:fs';

/** A row: number, local address and port, remote ones, state. */
const ROW = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) /;

/** In this thread's network namespace, whatever the address. */
export function isHeldByPeersAlone(port: number): boolean {
  return ['udp', 'udp6'].every((name) => {
    try {
      return havePeers(readFileSync(`/proc/thread-self/net/${name}`, 'latin1'), port);
    } catch {
      // A machine without IPv6, or a system that does not tell: then the second bind has the last word.
      return process.platform === 'linux';
    }
  });
}

/** Whether every socket of this port is connected. Pure. */
export function havePeers(table: string, port: number): boolean {
  return table.split('\n').every((row) => {
    const [, local = '', remote = ''] = ROW.exec(row) ?? [];
    return Number.parseInt(local, 16) !== port || remote !== '0000';
  });
}
