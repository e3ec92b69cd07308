/** A rule's pure state with a clock that a test moves; nothing in it is a socket. */
import type { Listener } from '../../src/engines/engine.ts';
import { createCounters, type LiveCounters } from '../../src/engines/flow/counters.ts';
import { OutcomeTally } from '../../src/engines/flow/outcomes.ts';
import { TargetStates } from '../../src/engines/flow/target-states.ts';
import { RuleState } from '../../src/engines/node/rule-state.ts';
import type { ConnectionRecord } from '../../src/domain/fact/fact.ts';

export interface RuleWorld {
  readonly rule: RuleState;
  readonly counters: LiveCounters;
  readonly states: TargetStates;
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
  const states = new TargetStates();
  const rule = new RuleState(listener, counters, {
    clock: { now: () => 1_700_000_000_000 + now, monotonic: () => now },
    uuid: () => `session-${++ids}`,
    record: (record) => records.push(record),
    states,
    outcomes: new OutcomeTally({ after: () => ({ cancel() {} }) }, { outcomes() {} }),
  });
  return {
    rule,
    counters,
    states,
    records,
    monotonic: () => now,
    pass(ms) {
      now += ms;
    },
  };
}
