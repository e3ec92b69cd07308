/**
 * Resets both peers of a TCP connection that the kernel has forgotten, so that they need not wait until they speak. The
 * engine does not know the sequence numbers that a reset must carry. But a segment that fits nowhere makes each peer answer
 * with its own (a challenge ACK), and to that answer the system replies with the reset: there is no such connection any more.
 */
import {
  AF_INET,
  AF_INET6,
  IPPROTO_RAW,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
  SO_MARK,
} from '../../../linux/abi.ts';
import { parseAddress } from '../../../lib/net/address.ts';
import { close, sendto, setsockopt, socket } from '../../../linux/ffi/libc.ts';
import type { Endpoint } from '../../pass-through/pass-through.ts';
import type { Flow } from '../../../linux/netlink/conntrack.ts';
import { PROBE_MARK } from '../../packet-marks.ts';

const TCP_ACK = 0x10;

export interface PeerResetter {
  /** order: after the kernel has forgotten the connections, else the answer would be translated, not refused. */
  reset(flows: readonly Flow[]): void;
  close(): void;
}

/** Does nothing where the process may not make such sockets (CAP_NET_RAW). */
export function openPeerResetter(): PeerResetter {
  const sockets = new Map([AF_INET, AF_INET6].map((family) => [family, rawSocket(family)]));

  function send(from: Endpoint, to: Endpoint): void {
    const source = parseAddress(from.address);
    const target = parseAddress(to.address);
    if (!source || !target || source.length !== target.length) return;
    const family = source.length === 4 ? AF_INET : AF_INET6;
    const fd = sockets.get(family) ?? -1;
    if (fd < 0) return;
    const packet = challenge(source, from.port, target, to.port);
    const name = new DataView(new ArrayBuffer(family === AF_INET ? 16 : 28));
    name.setUint16(0, family, true);
    new Uint8Array(name.buffer).set(target, family === AF_INET ? 4 : 8);
    sendto(fd, packet, packet.length, 0, name, name.byteLength);
  }

  return {
    reset(flows) {
      for (const { protocol, original, reply } of flows) {
        if (protocol !== IPPROTO_TCP) continue;
        send(original.destination, original.source);
        send(reply.destination, reply.source);
      }
    },
    close() {
      for (const fd of sockets.values()) if (fd >= 0) close(fd);
    },
  };
}

function rawSocket(family: number): number {
  const fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_MARK, Uint32Array.of(PROBE_MARK), 4);
  return fd;
}

const TCP_BYTES = 20;

/** An IP packet with an empty segment: ACK, sequence number 0. Pure; exported for its test. */
export function challenge(source: Uint8Array, sourcePort: number, target: Uint8Array, targetPort: number): Uint8Array {
  const ipBytes = source.length === 4 ? 20 : 40;
  const packet = new Uint8Array(ipBytes + TCP_BYTES);
  const view = new DataView(packet.buffer);
  if (source.length === 4) {
    packet.set([0x45, 0, 0, packet.length, 0, 0, 0x40, 0, 64, IPPROTO_TCP]);
    packet.set(source, 12);
    packet.set(target, 16);
  } else {
    packet.set([0x60, 0, 0, 0, 0, TCP_BYTES, IPPROTO_TCP, 64]);
    packet.set(source, 8);
    packet.set(target, 24);
  }
  view.setUint16(ipBytes, sourcePort);
  view.setUint16(ipBytes + 2, targetPort);
  view.setUint8(ipBytes + 12, (TCP_BYTES / 4) << 4);
  view.setUint8(ipBytes + 13, TCP_ACK);
  const pseudo = sum(source) + sum(target) + IPPROTO_TCP + TCP_BYTES;
  view.setUint16(ipBytes + 16, checksum(pseudo + sum(packet.subarray(ipBytes))));
  return packet;
}

/** `bytes`: an even number of them. */
function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return total;
}

function checksum(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}
