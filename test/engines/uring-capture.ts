/**
 * Reads TCP segments off the loopback interface of the caller's network namespace with a packet socket (root), and takes
 * their options apart.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { bindTo, close, recv, setsockopt, socket } from '../../src/linux/ffi/libc.ts';

const AF_PACKET = 17;
const SOCK_DGRAM_NONBLOCK = 2 | 0x800;
const ETH_P_ALL_BE = 0x0300;
const LOOPBACK_INDEX = 1;
const [SOL_SOCKET, SO_RCVBUFFORCE] = [1, 33];
/** limit: all that a test says, however long nobody reads. */
const BUFFER_BYTES = 64 * 1024 * 1024;

interface Segment {
  readonly version: 4 | 6;
  readonly sourcePort: number;
  readonly port: number;
  readonly syn: boolean;
  readonly payload: number;
  /** Kind → the option's bytes, kind and length included. */
  readonly options: ReadonlyMap<number, Buffer>;
}

interface Capture {
  /** Segments to this port so far, in order, each once. */
  to(port: number): Segment[];
  close(): Promise<void>;
}

export function capture(): Capture {
  const fd = socket(AF_PACKET, SOCK_DGRAM_NONBLOCK, ETH_P_ALL_BE);
  if (fd < 0) throw new Error(`no packet socket: ${fd}`);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, Uint32Array.of(BUFFER_BYTES), 4);
  // struct sockaddr_ll { family, protocol (big-endian), ifindex … }
  const name = Buffer.alloc(20);
  name.writeUInt16LE(AF_PACKET, 0);
  name.writeUInt16LE(ETH_P_ALL_BE, 2);
  name.writeInt32LE(LOOPBACK_INDEX, 4);
  bindTo(fd, name, name.length);
  const segments: Segment[] = [];
  const seen = new Set<string>();
  let open = true;
  const reading = read();
  async function read(): Promise<void> {
    const packet = Buffer.alloc(70_000);
    while (open) {
      for (let size = recv(fd, packet, packet.length, 0); size > 0; size = recv(fd, packet, packet.length, 0)) {
        const found = parse(packet.subarray(0, size));
        // Loopback shows each packet going out and coming in.
        if (!found || seen.has(found.id)) continue;
        seen.add(found.id);
        segments.push(found.segment);
      }
      await sleep(2);
    }
  }
  return {
    to: (port) => segments.filter((segment) => segment.port === port),
    async close() {
      open = false;
      await reading;
      close(fd);
    },
  };
}

function parse(packet: Buffer): { id: string; segment: Segment } | undefined {
  const version = packet.readUInt8(0) >> 4;
  const [protocol, header] = version === 4 ? [packet[9], (packet.readUInt8(0) & 15) * 4] : [packet[6], 40];
  if ((version !== 4 && version !== 6) || protocol !== 6 || packet.length < header + 20) return undefined;
  const tcp = packet.subarray(header);
  const dataAt = (tcp.readUInt8(12) >> 4) * 4;
  const flags = tcp.readUInt8(13);
  const payload = tcp.length - dataAt;
  const options = new Map<number, Buffer>();
  for (let at = 20; at < dataAt;) {
    const kind = tcp.readUInt8(at);
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = tcp.readUInt8(at + 1);
    options.set(kind, Buffer.from(tcp.subarray(at, at + length)));
    at += length;
  }
  const sourcePort = tcp.readUInt16BE(0);
  const port = tcp.readUInt16BE(2);
  const id = `${sourcePort} ${port} ${tcp.readUInt32BE(4)} ${tcp.readUInt32BE(8)} ${flags} ${payload}`;
  return { id, segment: { version, sourcePort, port, syn: (flags & 2) !== 0, payload, options } };
}
