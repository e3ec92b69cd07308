/** What an operator, a test or the previous process tells the uring engine at its birth. Read by engine.ts and host/. */
import type { Inheritance } from '../../engine.ts';

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
