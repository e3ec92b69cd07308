import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgePlan } from '../../plan/plan.ts';
import { ackOf } from './ack.ts';

type Sources = Parameters<typeof ackOf>[0];
type Failure = { readonly id: string; readonly reason: string };

function sources(change: { applied?: number; kept?: number; refused?: string; failures?: Partial<Failures> } = {}) {
  const { applied = 7, kept = 7, refused = '', failures = {} } = change;
  const { planned = [], entries = [], reconciler = [], tables = [] } = failures;
  const replica = { world: 'w', refused } as Sources['lastGood']['replica'];
  return {
    identity: { edge: 'e', site: 's', version: '1' },
    lastGood: { replica, kept },
    plan: { rules: new Map(), failures: new Map(planned.map(({ id, reason }) => [id, reason])) } as unknown as EdgePlan,
    entries: { failures: () => entries.values(), lost: new Set<string>() } as unknown as Sources['entries'],
    reconciler: {
      applied,
      failures: () => reconciler.values(),
      unresolved: () => [].values(),
    } as unknown as Sources['reconciler'],
    tables: { leftovers: () => tables },
    engines: { report: [] },
    alarms: [],
  } satisfies Sources;
}
interface Failures {
  planned: readonly Failure[];
  entries: readonly Failure[];
  reconciler: readonly Failure[];
  tables: readonly Failure[];
}

test('a revision is applied when it is in force and on the disk; none is of a world that was refused', () => {
  assert.deepEqual([ackOf(sources()).world, ackOf(sources()).applied], ['w', 7]);
  assert.equal(ackOf(sources({ kept: 5 })).applied, 5);
  assert.equal(ackOf(sources({ applied: 4 })).applied, 4);
  const refused = ackOf(sources({ refused: 'other' }));
  assert.deepEqual([refused.world, refused.applied], ['other', 0]);
});

test('a rule fails once, with the reason that is nearest to its cause', () => {
  const because = (reason: string) => [{ id: 'a', reason }];
  const all = {
    planned: [{ id: 'b', reason: 'makes no sense' }],
    entries: because('address is gone'),
    reconciler: because('EADDRNOTAVAIL'),
  };
  assert.deepEqual(ackOf(sources({ failures: all })).failed, [
    { id: 'b', reason: 'makes no sense' },
    { id: 'a', reason: 'EADDRNOTAVAIL' },
  ]);
  const left = ackOf(sources({ failures: { ...all, tables: because('left in the kernel') } }));
  assert.deepEqual(left.failed[1], { id: 'a', reason: 'left in the kernel' });
});
