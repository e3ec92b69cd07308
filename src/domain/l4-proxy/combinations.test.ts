import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCELERATE_MAINLAND, conflictOf, isExclusive, STRICT_COMBINATIONS } from './combinations.ts';
import { AREAS, type Area, type DdosConfig } from './l4-proxy.ts';

const CODES: Record<number, string> = {
  6: 'OperationDenied.Ipv6StaticIpConflict',
  7: 'OperationDenied.AccelerateMainlandIpv6Conflict',
  8: 'OperationDenied',
  9: 'OperationDenied.StaticIpAreaConflict',
  10: 'OperationDenied',
  11: 'OperationDenied.AccelerateMainlandDisable',
  12: 'OperationDenied.MsgIpv6AdvancedConflict',
  13: 'OperationDenied.Ipv6AdvancedConflict',
  14: 'OperationDenied',
};
const PLATFORM: DdosConfig[] = [{}, { levelMainland: 'PLATFORM', levelOverseas: 'PLATFORM' }];
/** Exclusive protection in a part of the world that the area covers. */
const EXCLUSIVE: Record<Area, DdosConfig[]> = {
  overseas: [{ levelOverseas: 'ANYCAST300' }, { levelOverseas: 'ANYCAST_ALLIN', levelMainland: 'PLATFORM' }],
  mainland: [{ levelMainland: 'BASE30_MAX300' }, { levelMainland: 'BASE60_MAX600', maxBandwidthMainland: 600 }],
  global: [{ levelMainland: 'BASE30_MAX300' }, { levelOverseas: 'ANYCAST300' }],
};
const BETA = [ACCELERATE_MAINLAND];
const STRICT = [ACCELERATE_MAINLAND, STRICT_COMBINATIONS];

// Rows of spec section 5 by combination: '' = neither of S(tatic), V (IPv6), A(ccelerate); 0 = allowed.
type Outcomes = Record<'' | 'S' | 'V' | 'A' | 'SV' | 'VA' | 'SA' | 'SVA', number>;
const OVERSEAS: Outcomes = { '': 0, S: 0, V: 0, A: 0, SV: 6, VA: 7, SA: 8, SVA: 6 };
const ELSEWHERE: Outcomes = { '': 0, S: 9, V: 0, A: 10, SV: 6, VA: 7, SA: 8, SVA: 6 };

function check(area: Area, ddos: DdosConfig, on: string, features: readonly string[], row: number): void {
  const flag = (letter: string) => (on.includes(letter) ? 'on' : 'off');
  const settings = { area, ddos, staticIp: flag('S'), ipv6: flag('V'), accelerateMainland: flag('A') } as const;
  const what = `${JSON.stringify(settings)} with [${features.join()}]`;
  assert.equal(conflictOf(settings, features)?.code, CODES[row], what);
}

for (const area of AREAS) {
  const base = Object.entries(area === 'overseas' ? OVERSEAS : ELSEWHERE);
  const isOverseas = area === 'overseas';
  test(`${area} with platform protection`, () => {
    for (const [on, row] of base) {
      for (const ddos of PLATFORM) {
        check(area, ddos, on, BETA, row);
        check(area, ddos, on, STRICT, row === 0 && !isOverseas ? 14 : row);
      }
    }
  });
  test(`${area} with exclusive protection`, () => {
    for (const [on, row] of base) {
      for (const ddos of EXCLUSIVE[area]) {
        check(area, ddos, on, BETA, on === 'V' && !isOverseas ? 12 : row);
        check(area, ddos, on, STRICT, on === 'V' ? (isOverseas ? 13 : 12) : row);
      }
    }
  });
}

test('without the beta, mainland acceleration is refused after every conflict it has', () => {
  check('overseas', {}, 'A', [], 11);
  check('overseas', {}, 'SA', [], 8);
  check('mainland', {}, 'A', [], 10);
});

test('a level counts only where the area covers its part of the world', () => {
  assert.equal(isExclusive({ area: 'overseas', ddos: { levelMainland: 'BASE30_MAX300' } }), false);
  assert.equal(isExclusive({ area: 'mainland', ddos: { levelOverseas: 'ANYCAST300' } }), false);
  assert.equal(isExclusive({ area: 'global', ddos: { levelOverseas: 'ANYCAST300' } }), true);
});
