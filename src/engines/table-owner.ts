/**
 * The owner of a table in the kernel, as an engine that has one asks for it: the edge decides (edge/tables/tables.ts).
 */

/** The kernel engine's, in the family inet. */
export const KERNEL_TABLE = 'edgefour';

/** `abandoned`: of an edge that is dead. `living`: of another one, and who that is. */
export type Whose = 'nobody' | 'ours' | 'abandoned' | { readonly living: string };

/** `why`: it is not to be had; '' where it is. `isThere`: something is in the kernel under its name. */
export interface Claim {
  readonly why: string;
  readonly isThere: boolean;
  /** Ids of dead edges that had it. */
  readonly former: readonly string[];
}

export interface TableOwner {
  /** What this edge's tables are known by. */
  readonly id: string;
  whose(table: string): Whose;
  /** From now on it is this edge's, as long as it lives; to be called before it is written. May be called twice. */
  claim(table: string): Claim;
  /** Takes a claimed table out of the kernel. '' where it is gone, else why not. */
  remove(table: string): string;
}
