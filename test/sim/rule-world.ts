/** A rule's pure state with a clock that a test moves; nothing in it is a socket. */
import type { Listener } from '../../src/engines/engine.ts';
import { createCounters, type LiveCounters } from '../../src/engines/flow/counters.ts';
import { RuleState } from '../../src/engines/node/rule-state.ts';
import type { ConnectionRecord } from '../../src/domain/fact/fact.ts';

export interface RuleWorld {
  readonly rule: RuleState;
  readonly counters: LiveCounters;
  readonly records: ConnectionRecord[];
  readonly monotonic: () => number;
  /** Moves time. */
  readonly pass: (ms: number) => void;
}

export function ruleWorld(listener: Listener): RuleWorld {
  let now = 0;
  let ids = 0;
  const records: ConnectionRecord[] = [];
  const counters = createCounters();
  const rule = new RuleState(listener, counters, {
    clock: { now: () => 1_700_000_000_000 + now, monotonic: () => now },
    uuid: () => `session-${++ids}`,
    record: (record) => records.push(record),
  });
  return {
    rule,
    counters,
    records,
    monotonic: () => now,
    pass(ms) {
      now += ms;
    },
  };
}
