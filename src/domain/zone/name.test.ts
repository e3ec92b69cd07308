import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../faults/fault.ts';
import { aliasFault, claimed, released, zoneNameFault } from './name.ts';
import type { Zone } from './zone.ts';

test('a zone is the name somebody registers, not what is above or below it', () => {
  const cases: [name: string, code: string | undefined][] = [
    ['example.com', undefined],
    ['Example.COM', undefined],
    ['example.co.uk', undefined],
    ['1-2.cn', undefined],
    ['', 'InvalidParameterValue.ZoneNameInvalid'],
    ['-a.com', 'InvalidParameterValue.ZoneNameInvalid'],
    ['example.com.', 'InvalidParameterValue.ZoneNameInvalid'],
    ['my_zone.com', 'InvalidParameterValue.ZoneNameInvalid'],
    ['192.0.2.1', 'InvalidParameterValue.ZoneNameInvalid'],
    ['http://example.com', 'InvalidParameterValue.ZoneNameInvalid'],
    ['xn--fiq228c.com', 'InvalidParameterValue.ZoneNameNotSupportPunyCode'],
    ['com', 'InvalidParameterValue.TopLevelDomainNotSupport'],
    ['com.cn', 'InvalidParameterValue.TopLevelDomainNotSupport'],
    ['www.example.com', 'InvalidParameterValue.ZoneNameNotSupportSubDomain'],
    ['www.example.com.cn', 'InvalidParameterValue.ZoneNameNotSupportSubDomain'],
  ];
  for (const [name, code] of cases) assert.equal(zoneNameFault(name)?.code, code, name);
});

test('an alias is short and plain', () => {
  assert.equal(aliasFault(''), undefined);
  assert.equal(aliasFault('a.B-c_9'), undefined);
  assert.equal(aliasFault('a b')?.code, 'InvalidParameterValue');
  assert.equal(aliasFault('a'.repeat(200)), undefined);
  assert.equal(aliasFault('a'.repeat(201))?.code, 'InvalidParameter.LengthExceedsLimit');
});

const zone = (id: string, more: Partial<Zone> = {}): Zone =>
  ({ id, account: 'one', name: 'example.com', alias: '', type: 'partial', ...more }) as Zone;

test('a name is free again when its last zone lets go of it', () => {
  const one = claimed(undefined, zone('zone-1'));
  assert.ok(!(one instanceof Fault));
  const two = claimed(one, zone('zone-2', { alias: 'b' }));
  assert.ok(!(two instanceof Fault));
  const left = released(two, zone('zone-1'));
  assert.deepEqual(
    left?.zones.map(({ id }) => id),
    ['zone-2'],
  );
  assert.equal(left && released(left, zone('zone-2')), undefined);
});

test('a zone may change what the claim says of it', () => {
  const one = claimed(undefined, zone('zone-1', { alias: 'a' }));
  assert.ok(!(one instanceof Fault));
  assert.deepEqual(claimed(one, zone('zone-1', { alias: 'b', type: 'full' })), {
    zones: [{ id: 'zone-1', account: 'one', alias: 'b', type: 'full' }],
  });
});
