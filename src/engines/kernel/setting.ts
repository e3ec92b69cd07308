/** What the kernel engine is told when it is made: by create.ts in an edge, by tests and benchmarks on their own. */
import type { InheritedParts } from '../../handoff/inherited.ts';

export interface KernelSetting {
  /** `auto` changes nothing of the machine but our own table; by name, the engine sets the switches it needs. */
  readonly use: 'no' | 'auto' | 'by name';
  /** `keep`: the table goes on forwarding when the engine stops. */
  readonly onStop: 'keep' | 'flush';
  /** Id of the edge that owns the table. */
  readonly owner: string;
  /** Ids of dead edges that may own it. */
  readonly former?: readonly string[];
  /** A file of its own; what was counted outlives the process there. */
  readonly counterFile?: string;
  /** Where it writes connection records itself; `capBytes` counts the files of all that write there. Absent: it only tells them. */
  readonly records?: { readonly folder: string; readonly capBytes: number };
  /** Packets of established connections may take the fast path; default: they do where it can be had. */
  readonly fastPath?: boolean;
  /** Of the process before this one, whose engine lives until they are served here. */
  readonly sockets?: InheritedParts | undefined;
  /** It takes no rule: what an earlier life left in the kernel drains, then the table goes. */
  readonly isRetiring?: boolean;
  /** How much of what ended may wait to be heard; for tests that want it to run over. */
  readonly eventsBytes?: number;
}
