/**
 * One worker: a thread with a ring, its share of the sockets, and a loop that never leaves but to wait in the kernel.
 * Everything on this thread happens in this order: wait, completions, clocks, orders from the agent's thread. Started
 * and restarted by host/supervised-worker.ts.
 */
import { systemRng } from '../../../lib/rng.ts';
import { Shares } from '../../flow/shares.ts';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { read } from '../../../linux/ffi/libc.ts';
import { Acceptor } from '../tcp/accept.ts';
import { Budget } from './budget.ts';
import { BufferPool } from '../ring/buffers.ts';
import type { FromWorker, WorkerSettings } from './messages.ts';
import { connected, dialTick, opened, unbound, watched } from '../tcp/dial.ts';
import { TCP_BUFFERS } from './shape.ts';
import { writeEstate } from '../ring/estate.ts';
import { OP, generationOf, indexOf, operationOf, tokenOf, watch } from '../ring/operations.ts';
import { optionSetter } from '../ring/options.ts';
import { Commands } from './commands.ts';
import { Overflow } from '../udp/overflow.ts';
import { Pipes } from '../ring/pipes.ts';
import { RecordWriter } from './records.ts';
import { tick } from '../tcp/relay.ts';
import type { Relay } from '../tcp/relay.ts';
import { Ring } from '../ring/ring.ts';
import { Rules } from './rules.ts';
import { DIALLING, Slots } from '../tcp/slots.ts';
import { Sources } from '../tcp/sources.ts';
import { feed, received, sent } from '../tcp/stream.ts';
import { polled } from '../tcp/splice.ts';
import { feedUdp, fromClient, fromOrigin, sentDatagrams } from '../udp/udp.ts';
import { tickSession } from '../udp/udp-sessions.ts';
import { Toa } from '../toa/announce.ts';
import { Wheel } from '../ring/wheel.ts';

const SUBMISSIONS = 4096;
const TICK_MS = 50;
const BUCKETS = 1024;
/** limit: how late a clock may be seen: a dial matters to a person, an idle time does not. */
const WAIT_DIALLING_MS = TICK_MS;
const WAIT_MS = 250;
const WAIT_ALONE_MS = 500;

const settings = workerData as WorkerSettings;
const port = parentPort!;
run();

function say(message: FromWorker): void {
  port.postMessage(message);
}

function run(): void {
  const ring = must('io_uring', Ring.create(SUBMISSIONS));
  const now = performance.timeOrigin + performance.now();
  const budget = new Budget(settings.descriptors);
  const orders = new Commands(say);
  const setOption = optionSetter(ring);
  const r: Relay = {
    ring,
    setOption,
    sources: new Sources(ring, setOption, SUBMISSIONS, settings.sourcePorts),
    slots: new Slots(settings.slots, settings.slotFds),
    rules: new Rules(),
    buffers: must('buffers', BufferPool.create(ring, { ...TCP_BUFFERS, count: settings.buffers })),
    budget,
    pipes: new Pipes(budget),
    shares: new Shares(settings.descriptors, systemRng.below(2 ** 32)),
    wheel: new Wheel(settings.slots + settings.descriptors, TICK_MS, BUCKETS, now),
    records: new RecordWriter(settings.records),
    acceptor: new Acceptor(settings.descriptors, settings.isHeld),
    toa: settings.toa && new Toa(settings.toa),
    udp: undefined,
    sessions: settings.descriptors,
    flowFds: settings.flowFds,
    mapped: () => writeEstate(settings.estate, ring.fd),
    entryIdle: (entry) => orders.idle(r, entry),
    hungry: [],
    now,
    taken: 0,
  };
  watch(ring, settings.wakeFd);
  r.mapped();
  say({ kind: 'ready' });
  loop(r, orders);
  ring.close();
  r.buffers.release();
  r.slots.release();
  r.acceptor.release();
  r.sources.release();
  r.udp?.release();
  r.toa?.release();
}

function loop(r: Relay, orders: Commands): void {
  const { ring, slots, wheel } = r;
  const { cqes, cqMask } = ring;
  const wake = new Uint8Array(8);
  const fire = (who: number): void => {
    if (who >= slots.capacity) tickSession(r, who - slots.capacity);
    else if (slots.state[who] === DIALLING) dialTick(r, who);
    else tick(r, who);
  };
  let slowTick = 0;
  const overflow = new Overflow();
  while (!orders.over(r)) {
    r.buffers.provide();
    if (r.udp) feedUdp(r);
    ring.enter(1, patience(r, orders.stopping));
    r.now = performance.timeOrigin + performance.now();
    r.udp?.gather.submitted();
    let woken = false;
    let head = ring.cqHead();
    for (let tail = ring.cqTail(); head !== tail; tail = ring.cqTail()) {
      while (head !== tail) {
        const at = (head & cqMask) << 2;
        const low = cqes[at]!;
        const high = cqes[at + 1]!;
        const result = cqes[at + 2]!;
        head = (head + 1) | 0;
        const operation = operationOf(low);
        if (operation === OP.WAKE) woken = true;
        else complete(r, operation, indexOf(low), high, result, cqes[at + 3]!);
      }
      ring.advance(head);
    }
    wheel.advance(r.now, fire);
    feed(r);
    if (r.now - slowTick > WAIT_MS) {
      slowTick = r.now;
      r.acceptor.resume(r);
      r.buffers.relax();
      r.udp?.buffers.relax();
      overflow.look(r);
    }
    orders.look(r);
    if (!woken) continue;
    read(settings.wakeFd, wake, 8);
    for (let order = receiveMessageOnPort(port); order; order = receiveMessageOnPort(port))
      orders.take(r, order.message);
  }
}

function patience({ slots, wheel }: Relay, stopping: boolean): number {
  if (slots.dialling > 0 || slots.settling > 0 || stopping) return WAIT_DIALLING_MS;
  return wheel.count > 0 ? WAIT_MS : WAIT_ALONE_MS;
}

function complete(r: Relay, operation: number, index: number, high: number, result: number, flags: number): void {
  switch (operation) {
    case OP.RECEIVE:
      return received(r, index, generationOf(high), result, flags);
    case OP.SEND:
      return sent(r, index, generationOf(high), tokenOf(high), result);
    case OP.ACCEPT:
      return r.acceptor.completed(r, index, result);
    case OP.SOCKET:
      return opened(r, index, generationOf(high), tokenOf(high), result);
    case OP.CONNECT:
      return connected(r, index, generationOf(high), tokenOf(high), result);
    case OP.POLL:
      return polled(r, index, generationOf(high));
    case OP.WATCH:
      return watched(r, index, generationOf(high), result, flags);
    case OP.BIND:
      return unbound(r, index, generationOf(high), tokenOf(high));
    case OP.UDP_CLIENT:
      return fromClient(r, index, result, flags);
    case OP.UDP_ORIGIN:
      return fromOrigin(r, index, generationOf(high), result, flags, false);
    case OP.UDP_ORIGIN_BURST:
      return fromOrigin(r, index, generationOf(high), result, flags, true);
    case OP.UDP_SEND:
      return sentDatagrams(r, index, generationOf(high), tokenOf(high), result, false);
    case OP.UDP_SEND_AGAIN:
      return sentDatagrams(r, index, generationOf(high), tokenOf(high), result, true);
    default:
      // IGNORE: a cancel that found nothing, an option that could not be set.
      return;
  }
}

function must<T>(what: string, made: T | number): T {
  if (typeof made === 'number') throw new Error(`${what}: errno ${-made}`);
  return made;
}
