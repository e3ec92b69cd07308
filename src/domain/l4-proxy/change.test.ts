import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROXY_NAME } from './change.ts';
import { ddosFault } from './ddos.ts';
import type { DdosConfig } from './l4-proxy.ts';

test('the naming rule', () => {
  const good = ['a', '0', 'proxy-name', 'a-b-c', '1-2', 'a'.repeat(50), `${'ab-'.repeat(16)}ab`];
  const bad = ['', '-', '-a', 'a-', 'a--b', 'A', 'a_b', 'a.b', 'ä', ' a', 'a\n', 'a'.repeat(51), 'ab-'.repeat(17)];
  for (const name of good) assert.ok(PROXY_NAME.test(name), name);
  for (const name of bad) assert.ok(!PROXY_NAME.test(name), name);
});

test('a long name costs no more than its length', () => {
  assert.ok(!PROXY_NAME.test(`${'a-'.repeat(50_000)}!`));
});

test('the bandwidth must fit its level', () => {
  const table: readonly [ddos: DdosConfig | undefined, ok: boolean][] = [
    [undefined, true],
    [{}, true],
    [{ maxBandwidthMainland: 7 }, true],
    [{ levelMainland: 'PLATFORM', maxBandwidthMainland: 7 }, true],
    [{ levelMainland: 'BASE30_MAX300' }, true],
    [{ levelMainland: 'BASE30_MAX300', maxBandwidthMainland: 0 }, true],
    [{ levelMainland: 'BASE30_MAX300', maxBandwidthMainland: 29 }, false],
    [{ levelMainland: 'BASE30_MAX300', maxBandwidthMainland: 30 }, true],
    [{ levelMainland: 'BASE30_MAX300', maxBandwidthMainland: 301 }, false],
    [{ levelMainland: 'BASE60_MAX600', maxBandwidthMainland: 59 }, false],
    [{ levelMainland: 'BASE60_MAX600', maxBandwidthMainland: 600 }, true],
  ];
  for (const [ddos, ok] of table) assert.equal(ddosFault(ddos) === undefined, ok, JSON.stringify(ddos));
});
