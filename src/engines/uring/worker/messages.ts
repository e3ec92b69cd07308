/**
 * The messages between the agent's thread and a worker, read between two batches of completions. Descriptors travel as
 * numbers, because all threads of a process share them; LIFECYCLE.md says who owns which descriptor when. It holds types
 * only. host/ sends commands, commands.ts carries them out.
 */
import type { Mode, Protocol } from '../../../domain/l4-rule/modes.ts';
import type { PortSpan } from '../../../lib/net/ports.ts';
import type { Bar } from '../../engine.ts';
import type { Endpoint } from '../../pass-through/pass-through.ts';
import type { PlannedOptions, PlannedRule } from '../../../plan/plan.ts';
import type { Turns } from './schedule.ts';

/** A bound socket of a rule that this worker serves. */
export interface EntrySpec {
  readonly fd: number;
  /** Of UDP, and only when it is new: sessions that the previous process had on it. */
  readonly sessions?: readonly WorkerSession[];
  readonly address: string;
  readonly port: number;
  readonly originPort: number;
}

/** A UDP session that changes hands; `entryFd` is the socket that its client speaks to. */
export interface WorkerSession {
  readonly fd: number;
  readonly entryFd: number;
  readonly client: Endpoint;
  readonly origin: Endpoint;
}

export interface TargetSpec {
  /** The edge's: the same number for the same address, in all rules and workers. */
  readonly number: number;
  readonly address: string;
  readonly weight: number;
  readonly barred?: Bar | undefined;
  /** Its name no longer says it. */
  readonly left?: true | undefined;
}

/** Where each port of a rule leads (plan.ts says how); sent where its sockets take connections to other ports than their own. */
export interface PortMap {
  readonly ports: readonly PortSpan[];
  readonly originPorts: PortSpan;
}

/** A rule as a worker needs it. Sent whole at each change; the worker finds what differs. */
export interface RuleSpec {
  /** The same number for the same rule id, as long as the engine lives. */
  readonly index: number;
  readonly protocol: Protocol;
  readonly mode: Mode;
  readonly targets: readonly TargetSpec[];
  readonly turns: Turns;
  readonly originPorts: PortSpan;
  readonly persistSeconds: number;
  readonly failover: PlannedRule['failover'];
  readonly options: PlannedOptions;
  readonly entries: readonly EntrySpec[];
  readonly range?: PortMap | undefined;
  /** Shared: counters of this rule and worker; places in the turns; persistence where the rule has it. */
  readonly row: SharedArrayBuffer;
  readonly position: SharedArrayBuffer;
  readonly persistence: SharedArrayBuffer | undefined;
}

/** A command to a worker. `handOver`, `pause`, `resume` and `begin` are the words of the engine door. */
export type Command =
  | { readonly kind: 'apply'; readonly rule: RuleSpec }
  /** Close its sockets, drain its connections. */
  | { readonly kind: 'remove'; readonly index: number }
  /** States of targets have changed (flow/target-states.ts): sessions leave those that are down, connections as rules say. */
  | { readonly kind: 'states' }
  /** Receive no datagram any more, and say which sessions there are. */
  | { readonly kind: 'handOver' }
  /** Accept no connection any more. */
  | { readonly kind: 'pause' }
  /** Accept, and receive. */
  | { readonly kind: 'resume' | 'begin' }
  /** End when the last connection has, or at the deadline. After `pause`: what waits in the sockets is another process's. */
  | { readonly kind: 'stop'; readonly drainMs: number };

/** `seq`: the number that its answer carries. */
export type ToWorker = Command & { readonly seq: number };

export type FromWorker =
  | { readonly kind: 'ready' }
  /** A target's first failure is counted (worker/outcomes.ts). */
  | { readonly kind: 'firstFailure' }
  /** Carried out: new sockets accept, old ones are closed. `sessions`: the answer to `handOver`. */
  | { readonly kind: 'done'; readonly seq: number; readonly sessions?: readonly WorkerSession[] }
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn' | 'error';
      readonly message: string;
      readonly facts?: Readonly<Record<string, unknown>>;
    };

/** The memory, the limits and the descriptors that a worker is started with. */
export interface WorkerSettings {
  readonly name: string;
  readonly slots: number;
  /** Descriptors that this worker may have open for connections, sessions and pipes. */
  readonly descriptors: number;
  /** Buffers for TCP; a power of two. */
  readonly buffers: number;
  readonly wakeFd: number;
  /** Shared: what must be closed and unmapped should the worker die (ring/leftovers.ts). */
  readonly leftovers: SharedArrayBuffer;
  /** Descriptors of each slot's sides; of each UDP session. */
  readonly slotFds: SharedArrayBuffer;
  readonly flowFds: SharedArrayBuffer;
  readonly records: SharedArrayBuffer;
  /** Of all workers: flow/target-states.ts, worker/outcomes.ts. */
  readonly states: SharedArrayBuffer;
  readonly outcomes: SharedArrayBuffer;
  readonly toa: ToaHandles | undefined;
  /** Shared: flow/source-ports.ts. */
  readonly sourcePorts: SharedArrayBuffer | undefined;
  /** It serves nothing before `begin`. */
  readonly isHeld: boolean;
}

/** The map that the sock_ops program reads, and the option kinds to write. */
export interface ToaHandles {
  readonly mapFd: number;
  readonly kindV4: number;
  readonly kindV6: number;
}
