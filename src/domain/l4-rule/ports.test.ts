import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROTOCOLS } from './modes.ts';
import { portClash, portFault, spansOf } from './ports.ts';

const TABLE: readonly [ports: string[], origin: string, code: string | undefined][] = [
  [['80'], '8080', undefined],
  [['1', '65535'], '65535', undefined],
  [['81-85'], '81-85', undefined],
  [['81-85'], '80', undefined],
  [['81-85', '90'], '101-106', undefined],
  [['81-85', '90'], '101-105', 'InvalidParameter.RulePortGroup'],
  [['80'], '80-81', 'InvalidParameter.RulePortGroup'],
  [['85-81'], '80', 'InvalidParameter.RulePortGroup'],
  [['80-'], '80', 'InvalidParameter.RulePortGroup'],
  [['-1'], '80', 'InvalidParameter.RulePortGroup'],
  [['0'], '80', 'InvalidParameter.RulePortInteger'],
  [['65536'], '80', 'InvalidParameter.RulePortInteger'],
  [['80,81'], '80', 'InvalidParameter.RulePortInteger'],
  [[' 80'], '80', 'InvalidParameter.RulePortInteger'],
  [[''], '80', 'InvalidParameter.RulePortInteger'],
  [['80'], '', 'InvalidParameter.RuleOriginPortInteger'],
  [['80'], '99999', 'InvalidParameter.RuleOriginPortInteger'],
];
test('which ports can be', () => {
  for (const [portRange, originPortRange, code] of TABLE) {
    const fault = portFault({ portRange, originPortRange }, 'L4ProxyRules.0');
    assert.equal(fault?.code, code, `${portRange.join()} → ${originPortRange}`);
  }
});

test('clashes are told in words', () => {
  const rule = (id: string, protocol: 'TCP' | 'UDP', ...portRange: string[]) => ({ id, protocol, portRange });
  assert.equal(portClash([rule('a', 'TCP', '80'), rule('b', 'UDP', '80')]), undefined);
  assert.equal(portClash([rule('a', 'TCP', '80-90'), rule('b', 'TCP', '85')]), 'TCP 85 is wanted by a and b.');
  assert.equal(portClash([rule('a', 'UDP', '85-99'), rule('b', 'UDP', '80-90')]), 'UDP 85-90 is wanted by b and a.');
  assert.equal(portClash([rule('a', 'TCP', '80', '70-80')]), 'TCP 80 is wanted by a twice.');
});

test('a clash is found exactly where two rules hold one port', () => {
  const span = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 6 }));
  const rule = fc.record({
    protocol: fc.constantFrom(...PROTOCOLS),
    spans: fc.array(span, { minLength: 1, maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), (drafts) => {
      const rules = drafts.map(({ protocol, spans }, i) => ({
        id: `rule-${i}`,
        protocol,
        portRange: spans.map(([from, more]) => (more === 0 ? `${from}` : `${from}-${from + more}`)),
      }));
      const held = rules.flatMap(({ protocol, ...rule }) =>
        spansOf(rule).flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, i) => `${protocol} ${from + i}`),
        ),
      );
      assert.equal(portClash(rules) !== undefined, new Set(held).size < held.length);
    }),
    { numRuns: 300 },
  );
});
