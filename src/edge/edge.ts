/**
 * An edge as others see it: what it needs to start, what it can be asked. Types only; agent.ts makes one. Used by
 * `edgefour edge` and by tests.
 */
import type { HandedSession, Succession } from '../engines/engine.ts';
import type { EngineSet } from '../engines/hosting/engine-set.ts';
import type { EngineFactories, EngineSetting } from '../engines/registry.ts';
import type { Inherited } from '../handoff/inherited.ts';
import type { Clock } from '../lib/clock.ts';
import type { PortSpan } from '../lib/net/ports.ts';
import type { Rng } from '../lib/rng.ts';
import type { Log } from '../observe/log.ts';
import type { Here } from './entry-watch.ts';
import type { Lookup } from './origins/lookup.ts';

export interface EdgeConfig {
  readonly dataDir: string;
  readonly edgeId: string;
  readonly site: string;
  /** See link/address.ts. */
  readonly join: string;
  readonly engine: EngineSetting;
  readonly version: string;
  /** Rules in the kernel end with this edge; default: they go on forwarding. */
  readonly flush?: boolean;
  /** Packets of established connections of the kernel engine go past everything; default true. */
  readonly fastPath?: boolean;
  /** Kinds of the TCP option of TOA rules, by address family; default 254 and 253. */
  readonly toaKinds?: { readonly v4: number; readonly v6: number };
  /** Ports to dial origins from, as far as the system leaves them; default: the system chooses. */
  readonly sourcePorts?: readonly PortSpan[];
  /** An empty world may replace one with rules; default false. */
  readonly newWorld?: boolean;
  /** Connection records where a rule does not say; default all. */
  readonly records?: 'all' | 'off' | number;
  /** Networks that no origin may be in, and the word `private`; default none. */
  readonly originsDeny?: readonly string[];
}

export interface EdgeTools {
  readonly log: Log;
  readonly clock: Clock;
  readonly rng?: Rng;
  /** Default: every engine there is, each on a thread of its own. */
  readonly engines?: EngineFactories;
  readonly lookup?: Lookup;
  /** Of the process that the edge is in. */
  readonly alarms?: () => readonly string[];
  /** Which addresses are on this machine. */
  readonly here?: Here;
  readonly inheritance?: EdgeInheritance;
}

/** What the edge before this one gives it. Its sessions are asked for last: until then that edge forwards them. */
export interface EdgeInheritance {
  readonly sockets: Inherited;
  sessions(): Promise<ReadonlyMap<number, readonly HandedSession[]>>;
}

export interface Edge {
  /** Every engine of this host and, where it can't be used, why. */
  readonly engines: EngineSet['report'];
  /** Resolves when the world on the disk, or else control's first, is applied once. */
  readonly ready: Promise<void>;
  /** Takes nothing new, gives connections `drainMs`, ends. May be called twice. */
  stop(drainMs: number): Promise<void>;
  /** As the engines', with one word before the others: after `rest` it serves on, follows no change and writes no world. */
  readonly succession: Succession & { rest(): Promise<void> };
}
