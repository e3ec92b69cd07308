/**
 * One worker: a thread with a ring, its share of the sockets, and a loop that never leaves but to wait in the kernel.
 * Everything on this thread happens in this order: wait, completions, clocks, commands from the agent's thread. Started
 * and restarted by host/supervised-worker.ts. It refuses to know what a completion means: it hands each to its half.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { read } from '../../../linux/ffi/libc.ts';
import { GENERATION_MASK, OP, OP_BITS, OP_MASK, TOKEN_SHIFT, watch } from '../ring/operations.ts';
import { connected, opened, unbound } from '../tcp/dial.ts';
import { feed, polled, received, sent, watched } from '../tcp/direction.ts';
import { tick } from '../tcp/timers.ts';
import { tickSession } from '../udp/sessions.ts';
import { SocketDrops } from '../udp/socket-drops.ts';
import { feedUdp, fromClient, fromOrigin, sentDatagrams } from '../udp/udp.ts';
import { Commands } from './commands.ts';
import type { FromWorker, WorkerSettings } from './messages.ts';
import { Relay, TICK_MS } from './relay.ts';

/** limit: how long the loop waits where no clock is urgent, and where there is no clock at all. */
const WAIT_MS = 250;
const WAIT_ALONE_MS = 500;

const settings = workerData as WorkerSettings;
const port = parentPort!;
run();

function say(message: FromWorker): void {
  port.postMessage(message);
}

function run(): void {
  const relay = new Relay(settings);
  watch(relay.tcp.ring, settings.wakeFd);
  say({ kind: 'ready' });
  loop(relay, new Commands(say));
  relay.release();
}

function loop(relay: Relay, commands: Commands): void {
  const { tcp, acceptor, clock, leaveDown } = relay;
  const { ring, slots, wheel, provided, outcomes } = tcp;
  const { hungry } = slots.directions;
  const { cqes, cqMask } = ring;
  const wake = new Uint8Array(8);
  const fire = (entry: number): void => {
    if (entry < slots.capacity) tick(tcp, entry);
    else tickSession(relay.udp!, entry - slots.capacity);
  };
  const drops = new SocketDrops();
  let slowTick = 0;
  // Conditions are fields, not calls: most batches have nothing to resume, to feed or to answer.
  while (!commands.isStopping || !commands.over(relay)) {
    provided.provide();
    if (relay.udp) feedUdp(relay.udp);
    if (acceptor.waiting.length > 0 && slots.available > 0) acceptor.resume();
    ring.enter(1, patience(relay, commands.isStopping));
    clock.now = performance.timeOrigin + performance.now();
    relay.udp?.gsoMessages.submitted();
    let woken = false;
    let head = ring.cqHead();
    for (let tail = ring.cqTail(); head !== tail; tail = ring.advance(head)) {
      while (head !== tail) {
        const at = (head & cqMask) << 2;
        head = (head + 1) | 0;
        if ((cqes[at]! & OP_MASK) === OP.WAKE) woken = true;
        else complete(relay, cqes[at]!, cqes[at + 1]!, cqes[at + 2]!, cqes[at + 3]!);
      }
    }
    wheel.advance(clock.now, fire);
    if (hungry.length > 0) feed(tcp);
    if (leaveDown.isDue(clock.now)) leaveDown.walk(tcp);
    if (clock.now - slowTick > WAIT_MS) {
      slowTick = clock.now;
      acceptor.tick();
      provided.relax();
      relay.udp?.datagrams.provided.relax();
      drops.look(tcp.rules.rules);
    }
    if (outcomes.isUrgent) {
      outcomes.isUrgent = false;
      say({ kind: 'firstFailure' });
    }
    if (commands.isWaiting) commands.look(relay);
    if (!woken) continue;
    read(settings.wakeFd, wake, 8);
    for (let message = receiveMessageOnPort(port); message; message = receiveMessageOnPort(port))
      commands.take(relay, message.message);
  }
}

/** How long the loop may wait in the kernel. */
function patience({ tcp: { slots, wheel }, leaveDown }: Relay, isStopping: boolean): number {
  if (leaveDown.isWalking) return 0;
  if (slots.urgent > 0 || isStopping) return TICK_MS;
  return wheel.count > 0 ? WAIT_MS : WAIT_ALONE_MS;
}

function complete({ tcp, acceptor, udp }: Relay, low: number, high: number, result: number, flags: number): void {
  const index = low >>> OP_BITS;
  const generation = high & GENERATION_MASK;
  const token = high >>> TOKEN_SHIFT;
  switch (low & OP_MASK) {
    case OP.RECEIVE:
      return received(tcp, index, generation, result, flags);
    case OP.SEND:
      return sent(tcp, index, generation, token, result);
    case OP.ACCEPT:
      return acceptor.completed(index, result);
    case OP.SOCKET:
      return opened(tcp, index, generation, token, result);
    case OP.CONNECT:
      return connected(tcp, index, generation, token, result);
    case OP.POLL:
      return polled(tcp, index, generation);
    case OP.WATCH:
      return watched(tcp, index, generation, result, flags);
    case OP.BIND:
      return unbound(tcp, index, generation, token);
    case OP.UDP_CLIENT:
      return fromClient(udp!, index, result, flags);
    case OP.UDP_ORIGIN:
      return fromOrigin(udp!, index, generation, result, flags, false);
    case OP.UDP_ORIGIN_BURST:
      return fromOrigin(udp!, index, generation, result, flags, true);
    case OP.UDP_SEND:
      return sentDatagrams(udp!, index, generation, token, result, false);
    case OP.UDP_SEND_AGAIN:
      return sentDatagrams(udp!, index, generation, token, result, true);
    default:
      // IGNORE: a cancel that found nothing, an option that could not be set.
      return;
  }
}
