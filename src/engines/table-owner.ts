/**
 * Whose a table in the kernel is, as an engine that has one asks. The edge decides (edge/tables/tables.ts); an engine that
 * was refused its table does not write it.
 */

/** Name of the kernel engine's table, of the family inet. */
export const KERNEL_TABLE = 'edgefour';

/** `abandoned`: of an edge that is dead. `living`: of another one, and which. */
export type Whose = 'nobody' | 'ours' | 'abandoned' | { readonly living: string };

/** `why`: the table is not to be had; '' where it is. `isThere`: something is in the kernel under its name. */
export interface Claim {
  readonly why: string;
  readonly isThere: boolean;
  /** Ids of dead edges that had it. */
  readonly former: readonly string[];
}

export interface TableOwner {
  /** Id of this edge, by which its tables are known. */
  readonly id: string;
  whose(table: string): Whose;
  /** From now on the table is this edge's, as long as it lives; to be called before it is written. May be called twice. */
  claim(table: string): Claim;
  /** Takes a claimed table out of the kernel. '' where it is gone, else why not. */
  remove(table: string): string;
}
