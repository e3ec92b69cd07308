/**
 * Packets from addresses that are not ours: bounded floods of SYNs and datagrams through a raw socket, for root tests in
 * namespaces of their own. Every call ends after the packets it was asked for.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { close, sendto, socket } from '../../src/linux/ffi/libc.ts';
import { parseAddress } from '../../src/lib/net/address.ts';

const [AF_INET, SOCK_RAW, IPPROTO_RAW] = [2, 3, 255];
const AT_ONCE = 200;
/** Each source sends so many in a row: too quickly for any limit, also where the whole flood is slow. */
const IN_A_ROW = 10;

interface Flood {
  readonly protocol: 'TCP' | 'UDP';
  /** Source n of 0 … sources - 1. */
  readonly source: (n: number) => string;
  readonly sources: number;
  readonly packets: number;
  readonly to: readonly [address: string, port: number];
}

export async function flood({ protocol, source, sources, packets, to: [address, port] }: Flood): Promise<void> {
  const fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (fd < 0) throw new Error(`no raw socket: ${fd}`);
  const target = new DataView(new ArrayBuffer(16));
  target.setUint16(0, AF_INET, true);
  new Uint8Array(target.buffer).set(bytesOf(address), 4);
  try {
    for (let n = 0; n < packets; n++) {
      const from = bytesOf(source(Math.floor(n / IN_A_ROW) % sources));
      const packet = packetOf(protocol, from, 1024 + (n % 60_000), bytesOf(address), port, n);
      sendto(fd, packet, packet.length, 0, target, 16);
      if (n % AT_ONCE === 0) await turn();
    }
  } finally {
    close(fd);
  }
}

function packetOf(
  protocol: Flood['protocol'],
  from: Uint8Array,
  fromPort: number,
  to: Uint8Array,
  port: number,
  n: number,
): Uint8Array {
  const isTcp = protocol === 'TCP';
  const size = isTcp ? 20 : 9;
  const bytes = new Uint8Array(20 + size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x45, 0, 0, 20 + size, 0, 0, 0x40, 0, 64, isTcp ? 6 : 17]);
  bytes.set(from, 12);
  bytes.set(to, 16);
  view.setUint16(20, fromPort);
  view.setUint16(22, port);
  if (isTcp) {
    view.setUint32(24, n);
    bytes.set([0x50, 0x02, 0xff, 0xff], 32);
    view.setUint16(36, checksum(view, size));
  } else view.setUint16(24, size);
  return bytes;
}

/** Of TCP with its pseudo header. */
function checksum(view: DataView, size: number): number {
  let sum = 6 + size;
  for (let at = 12; at < 20 + size; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function bytesOf(address: string): Uint8Array {
  return parseAddress(address) ?? new Uint8Array(4);
}
