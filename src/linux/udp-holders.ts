/**
 * The holders of a UDP port, as the system lists them. A session's socket is connected and takes its origin's datagrams
 * alone, so a rule may listen beside it; a socket that listens already is in the way. Also whether this process has a port.
 * Engines ask when a bind is refused.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A row: number, local address and port, remote ones, state. */
const ROW = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) /;

/** In this thread's network namespace, at any address. */
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
function havePeers(table: string, port: number): boolean {
  return table.split('\n').every((row) => {
    const [, local = '', remote = ''] = ROW.exec(row) ?? [];
    return Number.parseInt(local, 16) !== port || remote !== '0000';
  });
}

/** limit: descriptors that are looked through, a few hundredths of a second. */
const MOST_LOOKED_AT = 16_384;

/** Every socket that listens at this port, or has it under UDP, is one of this process. False: not known. */
export function isHeldByUs(protocol: 'TCP' | 'UDP', port: number): boolean {
  const names = protocol === 'TCP' ? ['tcp', 'tcp6'] : ['udp', 'udp6'];
  try {
    const tables = names.map((name) => readFileSync(`/proc/thread-self/net/${name}`, 'latin1'));
    const holders = tables.flatMap((table) => socketsAt(table, port, protocol === 'TCP'));
    const descriptors = readdirSync('/proc/self/fd');
    if (holders.length === 0 || descriptors.length > MOST_LOOKED_AT) return false;
    const ours = new Set(descriptors.map(linkOf));
    return holders.every((inode) => ours.has(`socket:[${inode}]`));
  } catch {
    return false;
  }
}

/** Their inodes. Pure. */
export function socketsAt(table: string, port: number, isListening: boolean): string[] {
  return table.split('\n').flatMap((row) => {
    const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/ +/);
    const isAt = Number.parseInt(local.split(':')[1] ?? '', 16) === port;
    return isAt && (!isListening || state === '0A') ? [inode] : [];
  });
}

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // The one by which the folder was read is closed again.
    return '';
  }
}
