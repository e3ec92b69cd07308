/**
 * The holders of a UDP port, as the system lists them. A session's socket is connected and takes its origin's datagrams
 * alone, so a rule may listen beside it; a socket that listens already is in the way. Also whether this process has a port.
 * Engines ask when a bind is refused.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mappedBytes, parseAddress } from '../lib/net/address.ts';

/** A row: number, local address and port, remote ones, state. */
const ROW = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) /;

/** Whether each socket at this place is connected, in this thread's network namespace. One at another address is no matter. */
export function isHeldByPeersAlone(address: string, port: number): boolean {
  return ['udp', 'udp6'].every((name) => {
    try {
      return havePeers(readFileSync(`/proc/thread-self/net/${name}`, 'latin1'), address, port);
    } catch {
      // A machine without IPv6, or a system that does not tell: then the second bind has the last word.
      return process.platform === 'linux';
    }
  });
}

/** The same of one list. Pure. */
export function havePeers(table: string, address: string, port: number): boolean {
  const bytes = parseAddress(address);
  const here = bytes ? [asListed(bytes), asListed(mappedBytes(bytes))] : [];
  return table.split('\n').every((row) => {
    const [, local = '', at = '', remote = ''] = ROW.exec(row) ?? [];
    const isHere = Number.parseInt(at, 16) === port && (/^0+$/.test(local) || here.includes(local));
    return !isHere || remote !== '0000';
  });
}

/** The list has addresses as words of the machine, which is little-endian. */
function asListed(bytes: Uint8Array): string {
  const words = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.slice(4 * i, 4 * i + 4).reverse());
  return words.map((word) => Buffer.from(word).toString('hex').toUpperCase()).join('');
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
