/** The thread of packet-count.ts. Says `ready`, counts until told to stop, and tells. */
import { parentPort, workerData } from 'node:worker_threads';
import { bindTo, close, getsockopt, setsockopt, socket } from '../../src/linux/ffi/libc.ts';
import { MessageBatch } from '../../src/linux/ffi/message-batch.ts';
import { enter } from './kernel-namespaces.ts';
import { linkIndex, type Passed } from './packet-count.ts';

const [AF_PACKET, SOCK_DGRAM] = [17, 2];
/**
 * With PACKET_IGNORE_OUTGOING only what comes in. not: ETH_P_IP. Who asks for one protocol is asked after the programs of the
 * link, which send packets of the fast path off.
 */
const ETH_P_ALL_BE = 0x0300;
const [SOL_SOCKET, SO_RCVTIMEO, SO_RCVBUFFORCE] = [1, 20, 33];
const [SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING] = [263, 6, 23];
const [MSG_TRUNC, MSG_WAITFORONE] = [0x20, 0x10000];
const [AT_ONCE, HEAD_BYTES] = [512, 64];

const { namespace, link, stop } = workerData as { namespace: string; link: string; stop: Int32Array };
enter(namespace);
const fd = socket(AF_PACKET, SOCK_DGRAM, ETH_P_ALL_BE);
if (fd < 0) throw new Error(`no packet socket: ${fd}`);
setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, Uint32Array.of(256 * 1024 * 1024), 4);
setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, BigInt64Array.of(0n, 50_000n), 16);
setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, Uint32Array.of(1), 4);
// struct sockaddr_ll { family, protocol (big-endian), ifindex … }
const name = new DataView(new ArrayBuffer(20));
name.setUint16(0, AF_PACKET, true);
name.setUint16(2, ETH_P_ALL_BE, true);
name.setInt32(4, linkIndex(link), true);
if (bindTo(fd, name, 20) < 0) throw new Error(`no link ${link}`);
parentPort?.postMessage('ready');

const batch = new MessageBatch(AT_ONCE, HEAD_BYTES);
/** By direction, protocol, address and port as one number each; texts are made in the end. */
const rows = new Map<number, Map<number, Passed>>();
// order: what came before the word to stop is read before it is heeded.
for (let isLast = false; ;) {
  const count = batch.receive(fd, MSG_TRUNC | MSG_WAITFORONE);
  if (count > 0) batch.each(count, take);
  else if (isLast) break;
  isLast = Atomics.load(stop, 0) === 1;
}
const statistics = new Uint32Array(2);
getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, statistics, Uint32Array.of(8));
close(fd);
parentPort?.postMessage({ rows: named(), lost: statistics[1] });

function take(view: DataView, length: number): void {
  if (view.getUint8(0) >> 4 !== 4) return;
  const protocol = view.getUint8(9);
  if (protocol !== 6 && protocol !== 17) return;
  const ports = (view.getUint8(0) & 15) * 4;
  // A frame may be padded; what counts is what IP says.
  const bytes = Math.min(length, view.getUint16(2));
  add(view.getUint32(12), protocol * 2, view.getUint16(ports), bytes);
  add(view.getUint32(16), protocol * 2 + 1, view.getUint16(ports + 2), bytes);
}

function add(address: number, kind: number, port: number, bytes: number): void {
  let ofAddress = rows.get(address);
  if (!ofAddress) rows.set(address, (ofAddress = new Map<number, Passed>()));
  const key = kind * 65_536 + port;
  const passed = ofAddress.get(key) ?? { packets: 0, bytes: 0 };
  passed.packets++;
  passed.bytes += bytes;
  ofAddress.set(key, passed);
}

function named(): Map<string, Passed> {
  const texts = new Map<string, Passed>();
  for (const [address, ofAddress] of rows)
    for (const [key, passed] of ofAddress) {
      const kind = Math.floor(key / 65_536);
      const text = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
      texts.set(`${kind % 2 ? 'to' : 'from'} ${kind >> 1} ${text} ${key % 65_536}`, passed);
    }
  return texts;
}
