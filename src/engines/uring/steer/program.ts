/**
 * The eBPF program that leads connections to a range's one socket (sk_lookup, attached to the network namespace): for each
 * new TCP connection the kernel asks which socket is to have it. The answer is looked up by local address and port in a
 * tree of prefixes, so a range is a handful of entries; what is not in there goes the usual way. Nothing is rewritten:
 * the accepted socket's own name is the address and port that the client used.
 */
import {
  R0,
  R1,
  R2,
  R3,
  R6,
  R7,
  R10,
  add,
  assemble,
  call,
  exit,
  load,
  map,
  move,
  network16,
  set,
  store,
  when,
} from '../../../linux/ebpf/asm.ts';
import type { Line } from '../../../linux/ebpf/asm.ts';
import { IPPROTO_TCP } from '../../../linux/abi.ts';

/** The tree's key: length of the prefix in bits, then family, IPv4 or IPv6 address, port in network order. */
export const KEY = { length: 0, family: 4, v4: 8, v6: 12, port: 28, bytes: 30 } as const;
/** Bits before the port's. */
export const PREFIX_BITS = 8 * (KEY.port - KEY.family);

// struct bpf_sk_lookup
const FAMILY = 8;
const PROTOCOL = 12;
const LOCAL_IP4 = 40;
const LOCAL_IP6 = 44;
const LOCAL_PORT = 60;

const SK_PASS = 1;
const bpf_map_lookup_elem = 1;
const bpf_sk_release = 86;
const bpf_sk_assign = 124;

/** limit: a key has to lie at a multiple of eight bytes. */
const STACK = -32;

const copy = (from: number, to: number): readonly Line[] => [
  load('word', R2, R6, from),
  store('word', R10, STACK + to, R2),
];

const lines = (tree: number, sockets: number): readonly Line[] => [
  move(R6, R1),
  // Datagrams ask, too, each of them that no connected socket takes.
  load('word', R2, R6, PROTOCOL),
  when(R2, '!=', IPPROTO_TCP, 'the usual way'),
  set(R2, PREFIX_BITS + 16),
  store('word', R10, STACK + KEY.length, R2),
  ...copy(FAMILY, KEY.family),
  ...copy(LOCAL_IP4, KEY.v4),
  ...[0, 4, 8, 12].flatMap((part) => copy(LOCAL_IP6 + part, KEY.v6 + part)),
  load('word', R2, R6, LOCAL_PORT),
  network16(R2),
  store('half', R10, STACK + KEY.port, R2),

  map(R1, tree),
  move(R2, R10),
  add(R2, STACK),
  call(bpf_map_lookup_elem),
  when(R0, '==', 0, 'the usual way'),

  map(R1, sockets),
  move(R2, R0),
  call(bpf_map_lookup_elem),
  when(R0, '==', 0, 'the usual way'),
  move(R7, R0),
  move(R1, R6),
  move(R2, R7),
  // not: BPF_SK_LOOKUP_F_NO_REUSEPORT. Each worker has a socket of the group, and the kernel deals.
  set(R3, 0),
  call(bpf_sk_assign),
  move(R1, R7),
  call(bpf_sk_release),

  'the usual way',
  set(R0, SK_PASS),
  exit(),
];

/** The program's code over the maps with these descriptors. */
export function steerProgram(tree: number, sockets: number): Uint8Array<ArrayBuffer> {
  return assemble(lines(tree, sockets));
}
