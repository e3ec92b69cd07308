import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../faults/fault.ts';
import { egressRule } from '../../lib/net/egress.ts';
import { changeGroup, createGroup } from './change.ts';
import { generalFault, l4UseFault, type RecordDraft } from './check.ts';

let ids = 0;
const AROUND = { egress: egressRule(['192.0.2.0/24']), now: 5, newRecordId: () => `record-${++ids}` };
const WISH = { id: 'og-1', zone: 'z', name: 'n', type: 'GENERAL', hostHeader: '' } as const;
const records = (...hosts: (string | RecordDraft)[]): RecordDraft[] =>
  hosts.map((host) => (typeof host === 'string' ? { host, type: 'IP_DOMAIN' } : host));

function made(...hosts: (string | RecordDraft)[]) {
  const group = createGroup(WISH, records(...hosts), AROUND);
  return group instanceof Fault ? assert.fail(group.message) : group;
}

test('0 for every record is no weight; beside another weight it is one', () => {
  const weights = (...given: (number | undefined)[]) =>
    made(
      ...given.map((weight, i): RecordDraft => ({
        host: `10.0.0.${i}`,
        type: 'IP_DOMAIN',
        ...(weight !== undefined && { weight }),
      })),
    ).group.records.map((record) => record.weight);
  assert.deepEqual(weights(0, 0), [undefined, undefined]);
  assert.deepEqual(weights(0, undefined), [undefined, undefined]);
  assert.deepEqual(weights(0, 5, undefined), [0, 5, undefined]);
});

test('an id is given to one record only, by name before by host', () => {
  const before = made('10.0.0.1', '10.0.0.2');
  const [a, b] = before.group.records.map(({ id }) => id);
  const next = changeGroup(
    before,
    {
      records: records(
        '10.0.0.2',
        { id: b!, host: '10.0.0.3', type: 'IP_DOMAIN' },
        { id: b!, host: '10.0.0.1', type: 'IP_DOMAIN' },
      ),
    },
    AROUND,
  );
  assert.ok(!(next instanceof Fault));
  const [one, two, three] = next.group.records.map(({ id }) => id);
  assert.deepEqual([two, three], [b, a]);
  assert.ok(one !== a && one !== b);
});

test('a change of nothing returns what it was given; a change of the name alone is none for edges', () => {
  const before = made('10.0.0.1');
  const held = { ...before, group: { ...before.group, changed: 7 } };
  assert.equal(changeGroup(held, { name: 'n', records: records('10.0.0.1') }, AROUND), held);
  const changed = (change: Parameters<typeof changeGroup>[1]) => {
    const next = changeGroup(held, change, { ...AROUND, now: 9 });
    return next instanceof Fault ? assert.fail(next.message) : [next.group.changed, next.group.updatedAt];
  };
  assert.deepEqual(changed({ name: 'm' }), [7, 9]);
  assert.deepEqual(changed({ records: records('10.0.0.2') }), [0, 9]);
  assert.deepEqual(changed({ type: 'HTTP' }), [0, 9]);
});

test('records that are not sent are checked again with the new type', () => {
  const bucket: RecordDraft = { host: 'b.test', type: 'COS' };
  const before = createGroup({ ...WISH, type: 'HTTP' }, [bucket], AROUND);
  assert.ok(!(before instanceof Fault));
  const fault = changeGroup(before, { type: 'GENERAL' }, AROUND);
  assert.equal(fault instanceof Fault && fault.code, 'InvalidParameter.InvalidOriginGroupType');
});

test('credentials stay with their records, apart from the group', () => {
  const parameters = [
    { name: 'AccessKeyId', value: 'a' },
    { name: 'SecretAccessKey', value: 's' },
  ] as const;
  const wish = { ...WISH, type: 'HTTP' } as const;
  const before = createGroup(wish, [{ host: 'b.test', type: 'COS', private: true, parameters }], AROUND);
  assert.ok(!(before instanceof Fault));
  const id = before.group.records[0]!.id;
  assert.deepEqual(before.secrets, { parameters: { [id]: parameters } });
  assert.ok(!JSON.stringify(before.group).includes('AccessKeyId'));
  const renamed = changeGroup(before, { name: 'm' }, AROUND);
  assert.deepEqual(!(renamed instanceof Fault) && renamed.secrets, before.secrets);
});

test('what L4 rules can use: addresses, or one name', () => {
  const code = (type: 'GENERAL' | 'HTTP', ...hosts: string[]) =>
    l4UseFault({ type, records: hosts.map((host) => ({ id: host, host, type: 'IP_DOMAIN' })) }, 'sid-1')?.code;
  assert.equal(code('GENERAL', '10.0.0.1', '::1'), undefined);
  assert.equal(code('GENERAL', 'a.test'), undefined);
  assert.equal(code('GENERAL', 'a.test', '10.0.0.1'), 'InvalidParameter.OriginL4RecordIPV4MixDomain');
  assert.equal(code('GENERAL', 'a.test', 'b.test'), 'InvalidParameter.OriginL4RecordMultiDomain');
  assert.equal(code('HTTP', '10.0.0.1'), 'InvalidParameter.InvalidOriginGroupType');
  assert.equal(generalFault('GENERAL', 'lb-1'), undefined);
});
