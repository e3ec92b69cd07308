/**
 * The eBPF program that writes the TOA option (sock_ops, attached to the edge's own cgroup). For a socket that has an
 * option in its storage: from the moment it connects the kernel asks, for each segment, how much room it needs and then
 * for the bytes. The option goes on every SYN and on the next SEGMENTS segments, the handshake's ACK first among them;
 * after that the kernel is told not to ask any more. Other sockets of the cgroup are left alone.
 */
import {
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R7,
  R8,
  R9,
  add,
  and,
  assemble,
  call,
  exit,
  jump,
  load,
  map,
  move,
  or,
  set,
  store,
  when,
} from '../../../linux/ebpf/asm.ts';
import type { Line } from '../../../linux/ebpf/asm.ts';

/** A socket's storage: the option as it goes on the wire (kind, length, port, address), and how often it went. */
export const VALUE_BYTES = 32;
const OPTION_MOST = 24;
const LENGTH = 1;
const SENT = 24;

/** limit: readers take the option from the ACK that ends the handshake; two more are for one that gets lost. */
const SEGMENTS = 3;

// struct bpf_sock_ops
const OP = 0;
const CB_FLAGS = 84;
const SK = 184;
const SKB_TCP_FLAGS = 212;

const BPF_SOCK_OPS_TCP_CONNECT_CB = 3;
const BPF_SOCK_OPS_HDR_OPT_LEN_CB = 14;
const BPF_SOCK_OPS_WRITE_HDR_OPT_CB = 15;
const BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG = 1 << 6;
const TCPHDR_SYN = 0x02;

const bpf_sock_ops_cb_flags_set = 59;
const bpf_sk_storage_get = 107;
const bpf_store_hdr_opt = 143;
const bpf_reserve_hdr_opt = 144;

const lines = (storage: number): readonly Line[] => [
  // R6 = context, R7 = socket, R8 = what is asked, R9 = the socket's storage
  move(R6, R1),
  load('word', R8, R6, OP),
  when(R8, '==', BPF_SOCK_OPS_TCP_CONNECT_CB, 'ours?'),
  when(R8, '==', BPF_SOCK_OPS_HDR_OPT_LEN_CB, 'ours?'),
  when(R8, '!=', BPF_SOCK_OPS_WRITE_HDR_OPT_CB, 'done'),
  'ours?',
  load('double', R7, R6, SK),
  when(R7, '==', 0, 'done'),
  map(R1, storage),
  move(R2, R7),
  set(R3, 0),
  set(R4, 0),
  call(bpf_sk_storage_get),
  when(R0, '==', 0, 'done'),
  move(R9, R0),
  when(R8, '==', BPF_SOCK_OPS_HDR_OPT_LEN_CB, 'how much room?'),
  when(R8, '==', BPF_SOCK_OPS_WRITE_HDR_OPT_CB, 'which bytes?'),

  // It connects: ask from now on.
  load('word', R2, R6, CB_FLAGS),
  or(R2, BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG),
  jump('set flags'),

  'how much room?',
  load('word', R2, R9, SENT),
  when(R2, '>=', SEGMENTS, 'enough'),
  load('byte', R2, R9, LENGTH),
  move(R1, R6),
  set(R3, 0),
  call(bpf_reserve_hdr_opt),
  jump('done'),

  'which bytes?',
  load('byte', R3, R9, LENGTH),
  when(R3, '<', 2, 'done'),
  when(R3, '>', OPTION_MOST, 'done'),
  move(R1, R6),
  move(R2, R9),
  set(R4, 0),
  call(bpf_store_hdr_opt),
  when(R0, '!=', 0, 'done'),
  // A SYN that is sent again does not count.
  load('word', R2, R6, SKB_TCP_FLAGS),
  and(R2, TCPHDR_SYN),
  when(R2, '!=', 0, 'done'),
  load('word', R2, R9, SENT),
  add(R2, 1),
  store('word', R9, SENT, R2),
  jump('done'),

  'enough',
  load('word', R2, R6, CB_FLAGS),
  and(R2, ~BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG),
  'set flags',
  move(R1, R6),
  call(bpf_sock_ops_cb_flags_set),

  'done',
  set(R0, 1),
  exit(),
];

/** The program's code, over the map with this descriptor. */
export function toaProgram(storage: number): Uint8Array<ArrayBuffer> {
  return assemble(lines(storage));
}
