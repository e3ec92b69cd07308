/**
 * The fast path as the rest of the engine sees it: one that may be missing, and that the engine leaves to another process
 * and takes back. All that the engine knows of fast-path/ is here.
 */
import { hex } from '../../linux/nft/nf-tables.ts';
import { addCarried } from './account/counts.ts';
import type { Conntrack } from './conntrack/conntrack.ts';
import { besideFastPath } from './fast-path/choose.ts';
import { type Carried, type FastPath, NO_FAST_PATH } from './fast-path/fast-path.ts';
import { FAST_FROM, ORIGINAL } from './fast-path/layout.ts';
import type { RuleSet } from './rules.ts';
import { OURS, RULE_MASK } from './table/marks.ts';

/**
 * What the table does with a packet that is passed on: of a connection that has come so far, it gets the connection's mark.
 * A packet that another program has marked keeps that mark, and its connection stays on the long way.
 */
export const STAMP: readonly string[] = [
  `ct mark & ${hex(OURS)} != ${hex(OURS)} return`,
  `ct packets < ${FAST_FROM} return`,
  'meta mark != 0 return',
  `ct mark & ${hex(RULE_MASK)} @slow return`,
  `ct direction reply meta mark set ct mark & ${hex(~ORIGINAL >>> 0)} return`,
  'meta mark set ct mark',
];

export interface Acceleration {
  /** What the chain `fast` of the table does; nothing where there is no fast path. */
  readonly stamp: readonly string[];
  /** Why there is none, for an operator who would expect it. */
  note(): string | undefined;
  /** conntrack, with what was carried past it. */
  beside(conntrack: Conntrack): Conntrack;
  /** To be called often: it serves new interfaces, and looks anew at whatever has changed in any table. */
  attend(): void;
  /** The next packet of every connection goes the long way once. To be called after a change. */
  forget(): void;
  /** Adds what was carried to the counters of rules. */
  count(): void;
  /** Counts and forgets what there is about an index, before it is another rule's. */
  release(index: number): void;
  /** Forgets connections that are gone. */
  sweep(): void;
  /** order: after what it has carried was counted. */
  close(): void;
  /** Once more, after another process has had it. */
  reopen(): void;
}

type Choice = () => { readonly fast: FastPath; readonly note?: string };

export function openAcceleration(choose: Choice, rules: Pick<RuleSet, 'at'>): Acceleration {
  let { fast, note } = choose();
  const carried: Carried = (total, packets, bytes) => {
    const account = rules.at(total.index)?.account;
    if (account) addCarried(account, total, packets, bytes);
  };
  return {
    stamp: fast === NO_FAST_PATH ? [] : STAMP,
    note: () => note,
    beside: (conntrack) => besideFastPath(conntrack, () => fast),
    attend: () => fast.attend(),
    forget: () => fast.forget(),
    count: () => fast.grown(carried),
    release: (index) => fast.release(index, carried),
    sweep: () => fast.sweep((index) => rules.at(index)?.settings?.idleSeconds),
    close() {
      fast.close();
      fast = NO_FAST_PATH;
    },
    reopen: () => void ({ fast, note } = choose()),
  };
}
