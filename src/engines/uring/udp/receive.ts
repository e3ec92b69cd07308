/**
 * The receives of a worker's UDP sockets: one multishot receive each, armed here. udp.ts deals with their completions. It
 * refuses while another process is about to receive.
 */
import { OP, cancel, receive, receiveMessages } from '../ring/operations.ts';
import type { Ring } from '../ring/ring.ts';
import type { Entry } from '../worker/rule.ts';
import { CLIENT_MESSAGE, ORIGIN_MESSAGE, takeBursts } from './datagrams.ts';
import type { Datagrams } from './datagrams.ts';
import type { Flows } from './flows.ts';

/**
 * limit: so many runs of replies (gso.ts) make a stream of datagrams. From then on the session's replies are received as
 * bursts, which costs a lone reply a sixth more.
 */
export const RUNS_OF_STREAM = 4;

export interface Receiving {
  readonly ring: Ring;
  readonly flows: Flows;
  readonly datagrams: Datagrams;
}

/** Receives on a bound socket, datagrams and bursts with their sender. */
export function listenToClients({ ring, datagrams }: Receiving, entry: Entry): void {
  if (datagrams.isPaused) return;
  entry.posted = 1;
  takeBursts(entry.fd, true);
  const { provided, messages } = datagrams;
  receiveMessages(ring, entry.fd, provided.group, messages, CLIENT_MESSAGE, OP.UDP_CLIENT, entry.index, 0);
}

/** Receives on the socket of a session. */
export function listenToOrigin({ ring, flows, datagrams }: Receiving, flow: number): void {
  if (datagrams.isPaused) return;
  const { sockets } = flows;
  const { provided, messages } = datagrams;
  const fd = sockets.fd[flow]!;
  const generation = flows.generation[flow]!;
  sockets.reading[flow] = 1;
  if (sockets.runs[flow]! < RUNS_OF_STREAM) {
    receive(ring, fd, provided.group, false, OP.UDP_ORIGIN, flow, generation);
    return;
  }
  takeBursts(fd, true);
  receiveMessages(ring, fd, provided.group, messages, ORIGIN_MESSAGE, OP.UDP_ORIGIN_BURST, flow, generation);
}

/** Ends the receive of a session. */
export function stopListening({ ring, flows }: Receiving, flow: number): void {
  const generation = flows.generation[flow]!;
  cancel(ring, OP.UDP_ORIGIN, flow, generation, 0);
  // Whichever of the two is armed: a stream may have begun meanwhile.
  if (flows.sockets.runs[flow]! >= RUNS_OF_STREAM) cancel(ring, OP.UDP_ORIGIN_BURST, flow, generation, 0);
}
