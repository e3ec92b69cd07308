/**
 * Both halves of a worker's relay and the state that they share, made from the worker's settings. worker.ts hands them
 * completions and time, commands.ts changes their rules. It refuses to decide anything.
 */
import { systemRng } from '../../../lib/rng.ts';
import { Shares } from '../../flow/shares.ts';
import { TargetStates } from '../../flow/target-states.ts';
import { BufferPool, ProvidedBuffers } from '../ring/buffers.ts';
import { writeLeftovers } from '../ring/leftovers.ts';
import { optionSetter } from '../ring/options.ts';
import { Pipes } from '../ring/pipes.ts';
import { Ring } from '../ring/ring.ts';
import { Wheel } from '../ring/wheel.ts';
import { Acceptor } from '../tcp/accept.ts';
import type { DialState } from '../tcp/dial.ts';
import { LeaveDown } from '../tcp/leave-down.ts';
import { Slots } from '../tcp/slots.ts';
import { PortBinder } from '../tcp/source-ports.ts';
import { Toa } from '../toa/announce.ts';
import type { Udp } from '../udp/sessions.ts';
import { createUdp, releaseUdp } from '../udp/udp.ts';
import { Budget } from './budget.ts';
import { TCP_BUFFERS } from './memory.ts';
import type { WorkerSettings } from './messages.ts';
import { OutcomeCounter } from './outcomes.ts';
import { RecordWriter } from './records.ts';
import { Rules } from './rules.ts';
import type { WorkerState } from './state.ts';

const SUBMISSIONS = 4096;
/** limit: how late a clock may be seen: a dial matters to a person, an idle time does not. */
export const TICK_MS = 50;
const BUCKETS = 1024;

export class Relay {
  readonly settings: WorkerSettings;
  /** Set by worker.ts, once per batch. */
  readonly clock = { now: performance.timeOrigin + performance.now() };
  readonly tcp: DialState;
  readonly acceptor: Acceptor;
  readonly leaveDown = new LeaveDown();
  udp: Udp | undefined;
  readonly #shared: WorkerState;

  constructor(settings: WorkerSettings) {
    const ring = must('io_uring', Ring.create(SUBMISSIONS));
    const budget = new Budget(settings.descriptors);
    const setOption = optionSetter(ring);
    const shape = { ...TCP_BUFFERS, count: settings.buffers };
    const buffers = must('buffers', BufferPool.create(shape));
    this.settings = settings;
    this.#shared = {
      ring,
      clock: this.clock,
      rules: new Rules(new TargetStates(settings.states)),
      budget,
      shares: new Shares(settings.descriptors, systemRng.below(2 ** 32)),
      wheel: new Wheel(settings.slots + settings.descriptors, TICK_MS, BUCKETS, this.clock.now),
      records: new RecordWriter(settings.records),
      outcomes: new OutcomeCounter(settings.outcomes),
    };
    this.tcp = {
      ...this.#shared,
      slots: new Slots(settings.slots, settings.slotFds),
      buffers,
      provided: must('buffers', ProvidedBuffers.create(ring, buffers, shape)),
      pipes: new Pipes(budget),
      outbound: {
        setOption,
        ports: new PortBinder(ring, setOption, SUBMISSIONS, settings.sourcePorts),
        toa: settings.toa && new Toa(settings.toa),
      },
    };
    this.acceptor = new Acceptor(this.tcp, settings.descriptors, settings.isHeld);
    writeLeftovers(settings.leftovers, ring.fd);
  }

  /** The UDP half; made with the first UDP rule, because its buffers are many addresses. */
  openUdp(): Udp {
    if (this.udp) return this.udp;
    const { descriptors, flowFds, leftovers } = this.settings;
    this.udp = createUdp(this.#shared, descriptors, flowFds, this.tcp.slots.capacity);
    this.udp.datagrams.isPaused = this.acceptor.isPaused;
    writeLeftovers(leftovers, this.tcp.ring.fd);
    return this.udp;
  }

  /** Nothing is open any more. */
  release(): void {
    const { ring, buffers, provided, slots, outbound } = this.tcp;
    ring.close();
    provided.release();
    buffers.release();
    slots.names.release();
    this.acceptor.release();
    outbound.ports.release();
    outbound.toa?.release();
    if (this.udp) releaseUdp(this.udp);
  }
}

function must<T>(what: string, made: T | number): T {
  if (typeof made === 'number') throw new Error(`${what}: errno ${-made}`);
  return made;
}
