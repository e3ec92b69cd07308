import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RuleDraft, ruleFault } from './check.ts';
import { MODE_NAMES, PROTOCOLS } from './modes.ts';

const WORLD = { egress: () => undefined, group: () => undefined, loadBalancer: () => undefined };
const DRAFT: RuleDraft = {
  protocol: 'TCP',
  portRange: ['80'],
  originType: 'IP_DOMAIN',
  originValue: ['10.0.0.1'],
  originPortRange: '80',
};
const verdict = (change: Partial<RuleDraft>) => ruleFault({ ...DRAFT, ...change }, WORLD, 'L4ProxyRules.0')?.code;

test('modes exist for the protocols of the published matrix', () => {
  const allowed = { TOA: 'TCP', PPV1: 'TCP', PPV2: 'TCP UDP', SPP: 'UDP', OFF: 'TCP UDP' };
  for (const mode of MODE_NAMES) {
    for (const protocol of PROTOCOLS) {
      const expected = allowed[mode].includes(protocol) ? undefined : 'InvalidParameter.ParameterError';
      assert.equal(verdict({ mode, protocol }), expected, `${mode} ${protocol}`);
    }
  }
});

test('a session time counts only while persistence is on, and 0 is not given', () => {
  const bad = 'InvalidParameterValue';
  const table: readonly [persist: 'on' | 'off' | undefined, seconds: number | undefined, code: string | undefined][] = [
    ['on', undefined, undefined],
    ['on', 0, undefined],
    ['on', 29, bad],
    ['on', 30, undefined],
    ['on', 3600, undefined],
    ['on', 3601, bad],
    ['off', 29, undefined],
    ['off', 1_000_000, undefined],
    [undefined, 1, undefined],
  ];
  for (const [sessionPersist, sessionPersistTime, code] of table) {
    const change = {
      ...(sessionPersist && { sessionPersist }),
      ...(sessionPersistTime !== undefined && { sessionPersistTime }),
    };
    assert.equal(verdict(change), code, JSON.stringify(change));
  }
});

test('ports are looked at first, origins last', () => {
  const all = { portRange: ['x'], mode: 'SPP', originValue: [] } as const;
  assert.equal(verdict(all), 'InvalidParameter.RulePortInteger');
  assert.equal(verdict({ ...all, portRange: ['80'] }), 'InvalidParameter.ParameterError');
  assert.equal(verdict({ ...all, portRange: ['80'], mode: 'OFF' }), 'InvalidParameter.InvalidOriginValue');
});
