/**
 * The uring engine: TCP and UDP on io_uring, a thread per core, every mode. This file is the door (engine.ts of the edge
 * says what it promises): it knows rules and the sockets they are bound to, and tells the workers; it never touches a
 * connection. Where the machine cannot do it, the engine exists and says why.
 */
import { availableParallelism, networkInterfaces } from 'node:os';
import type { Capabilities, Engine, EngineEvents, Inheritance } from '../engine.ts';
import type { Mode } from '../../domain/l4-rule/modes.ts';
import { absentEngine } from '../hosting/forward.ts';
import { whyUnavailable } from './ring/probe.ts';

export interface UringEngineOptions {
  /** Default: one per core. */
  readonly workers: number;
  /** Kinds of the TOA option by address family; default 254 and 253 (spec 16.4). */
  readonly toaKinds?: { readonly v4: number; readonly v6: number } | undefined;
  /** Descriptors for all workers together; default what the process may have, less a reserve. */
  readonly descriptors?: number;
  /** TCP buffers of each worker, a power of two; default 4,096. */
  readonly buffers?: number;
  /** Default true: one socket for a wide range of TCP ports, where the system allows it. */
  readonly steering?: boolean;
  /** flow/source-ports.ts; default: the system chooses. */
  readonly sourcePorts?: SharedArrayBuffer | undefined;
  /** Of the process before this one. */
  readonly inheritance?: Inheritance | undefined;
}

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
  const [{ createPlane }, { attachToa }] = await Promise.all([
    import('./host/uring-engine.ts'),
    import('./toa/attach.ts'),
  ]);
  const toa = attachToa(options.toaKinds);
  const plane =
    typeof toa === 'string'
      ? createPlane(options, uringCapabilities(toa), undefined, events)
      : createPlane(options, uringCapabilities(undefined), toa, events);
  // Datagrams wait from when their sessions are asked for until the rules are there.
  if (options.inheritance && options.inheritance.sockets.parts.keys.length > 0) await plane.warm();
  return plane;
}

/** What it can where it works. `noToa`: why it has no TOA. */
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
