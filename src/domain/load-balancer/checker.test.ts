import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkerOf } from './checker.ts';
import type { HealthChecker } from './health-checker.ts';

const TIMES = { intervalSeconds: 30, timeoutSeconds: 5, rise: 3, fall: 2 };
const HTTP = {
  path: 'a.example/',
  method: 'HEAD',
  expectedCodes: ['2xx'],
  headers: [{ key: 'a', value: 'b' }],
} as const;

const TABLE: readonly [wish: HealthChecker | undefined, checker: object | undefined][] = [
  [undefined, undefined],
  [{ type: 'NoCheck', port: 80, interval: 10 }, undefined],
  [
    { type: 'TCP', port: 80 },
    { type: 'TCP', port: 80, send: undefined, expect: undefined, proxy: 'PPV1', ...TIMES },
  ],
  [
    { type: 'TCP', port: 80, send: 'a', expect: 'b', proxy: 'PPV2' },
    { type: 'TCP', port: 80, send: 'a', expect: 'b', proxy: 'PPV2', ...TIMES },
  ],
  [
    { type: 'UDP', port: 53, recvContext: 'b' },
    { type: 'UDP', port: 53, send: '', expect: 'b', ...TIMES },
  ],
  [
    { type: 'UDP', port: 53, sendContext: 'a' },
    { type: 'UDP', port: 53, send: 'a', expect: undefined, ...TIMES },
  ],
  [
    { type: 'ICMP Ping', port: 80, interval: 3 },
    { type: 'ICMP Ping', ...TIMES, intervalSeconds: 3, timeoutSeconds: 3 },
  ],
  [
    { type: 'ICMP Ping', interval: 600, timeout: 60, healthThreshold: 1, criticalThreshold: 9 },
    { type: 'ICMP Ping', intervalSeconds: 600, timeoutSeconds: 60, rise: 1, fall: 9 },
  ],
  [
    { type: 'HTTPS', port: 443, ...HTTP, followRedirect: 'true' },
    {
      type: 'HTTPS',
      port: 443,
      path: 'a.example/',
      method: 'HEAD',
      headers: [{ key: 'a', value: 'b' }],
      codes: ['2xx'],
      followsRedirects: true,
      proxy: 'PPV1',
      ...TIMES,
    },
  ],
  [
    { type: 'HTTP', port: 80, followRedirect: 'false' },
    {
      type: 'HTTP',
      port: 80,
      path: '',
      method: 'GET',
      headers: [],
      codes: [],
      followsRedirects: false,
      proxy: 'PPV1',
      ...TIMES,
    },
  ],
];
for (const [wish, checker] of TABLE) {
  test(`a rule that announces by PPV1 is checked so: ${JSON.stringify(wish)}`, () => {
    assert.deepEqual(checkerOf(wish, 'PPV1'), checker);
  });
}

test('a rule that announces nobody is checked without a header', () => {
  const checker = checkerOf({ type: 'TCP', port: 80 });
  assert.ok(checker?.type === 'TCP' && checker.proxy === undefined);
});
