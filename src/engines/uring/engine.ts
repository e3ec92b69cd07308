/**
 * The uring engine: TCP and UDP on io_uring, a thread per core, every mode. This file is its door: it makes the engine
 * (host/uring-engine.ts), or one that takes nothing and says why where the machine cannot do it. It refuses to know rules.
 * Called by the agent and by tests; ../engine.ts says what an engine promises.
 */
import { availableParallelism, networkInterfaces } from 'node:os';
import type { Capabilities, Engine, EngineEvents, Inheritance } from '../engine.ts';
import type { Mode } from '../../domain/l4-rule/modes.ts';
import { absentEngine } from '../hosting/forward.ts';
import type { UringEngineOptions } from './host/options.ts';
import { descriptorLimit } from '../../linux/descriptors.ts';
import { whyUnavailable } from './ring/probe.ts';
import { lockedBytes, shareOf, unreserved } from './worker/budget.ts';
import type { Share } from './worker/budget.ts';

export function createUringEngine(
  events: EngineEvents,
  inheritance?: Inheritance,
  settings?: Pick<UringEngineOptions, 'toaKinds' | 'sourcePorts'>,
): Promise<Engine> {
  return createUringEngineWith({ ...settings, workers: availableParallelism(), inheritance }, events);
}

export async function createUringEngineWith(options: UringEngineOptions, events: EngineEvents): Promise<Engine> {
  const why = await whyUnavailable(options.workers);
  if (why !== undefined) return absentEngine('uring', why);
  // order: koffi is touched only after the probe has said that it can be.
  const [{ UringEngine }, { attachToa }] = await Promise.all([
    import('./host/uring-engine.ts'),
    import('./toa/attach.ts'),
  ]);
  const toa = attachToa(options.toaKinds);
  const engine =
    typeof toa === 'string'
      ? new UringEngine(options, uringCapabilities(toa), undefined, events)
      : new UringEngine(options, uringCapabilities(undefined), toa, events);
  // Datagrams wait from when their sessions are asked for until the rules are there.
  if (options.inheritance && options.inheritance.sockets.parts.keys.length > 0) await engine.startWorkers();
  return engine;
}

/** The capabilities where it works. `noToa`: why it has no TOA. */
export function uringCapabilities(noToa: string | undefined): Capabilities {
  const modes: Mode[] = ['OFF', 'PPV1', 'PPV2', 'SPP'];
  return {
    modes: noToa === undefined ? [...modes, 'TOA'] : modes,
    ...(noToa !== undefined && { lacking: { TOA: noToa } }),
    protocols: ['TCP', 'UDP'],
    ipv6: Object.values(networkInterfaces()).some((list) => list?.some((address) => address.family === 'IPv6')),
    nextOrigin: true,
  };
}

/** This machine as the engine finds it, for the doctor. */
export interface UringFacts {
  /** Why it can't run. */
  readonly why: string | undefined;
  readonly workers: number;
  /** Of each worker. */
  readonly share: Share;
  /** Descriptors that the process may have. */
  readonly limit: number;
  /** Bytes of locked memory, for a user whose locked memory is limited. */
  readonly locked: number;
  /** Why a wide range of TCP ports takes a socket per port. */
  readonly perPort: string | undefined;
}

/** The kernel is asked, by making a ring; a container may forbid what the version has. */
export async function uringFacts(): Promise<UringFacts> {
  const workers = availableParallelism();
  const limit = descriptorLimit();
  const why = await whyUnavailable(workers);
  // order: only where the engine can run, because the file needs what that needs.
  const perPort = why ?? (await import('./steer/ranges.ts')).whyPerPort();
  return { why, workers, share: shareOf(unreserved(limit), workers), limit, locked: lockedBytes(workers), perPort };
}
