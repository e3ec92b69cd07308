import assert from 'node:assert/strict';
import { test } from 'node:test';
import { THIS_WRITE } from '../stamp.ts';
import { checkerFault, FAST_CHECKS, type HealthChecker, withChecker } from './health-checker.ts';

const TCP: HealthChecker = { type: 'TCP', port: 80 };

/** What a TCP check becomes, and the field that is wrong. */
const TABLE: readonly [change: Partial<HealthChecker>, wrong?: string][] = [
  [{}],
  [{ type: 'ICMP Ping' }],
  [{ port: 0 }, 'Port'],
  [{ port: 65_536 }, 'Port'],
  [{ interval: 10, timeout: 9 }],
  [{ interval: 600, timeout: 599 }],
  [{ interval: 9 }, 'Interval'],
  [{ interval: 601 }, 'Interval'],
  [{ interval: 10, timeout: 10 }, 'Timeout'],
  [{ timeout: 30 }, 'Timeout'],
  [{ timeout: 29 }],
  [{ timeout: 0 }, 'Timeout'],
  [{ healthThreshold: 0 }, 'HealthThreshold'],
  [{ criticalThreshold: 101 }, 'CriticalThreshold'],
  [{ path: 'www.example.com/test?a=b' }],
  [{ path: 'www.example.com' }],
  [{ path: '10.0.0.1:8080/' }],
  [{ path: 'http://www.example.com/' }, 'Path'],
  [{ path: '/test' }, 'Path'],
  [{ path: 'a b/' }, 'Path'],
  [{ path: 'a/\r\nX: y' }, 'Path'],
  [{ expectedCodes: ['200', '3xx'] }],
  [{ expectedCodes: ['200', '600'] }, 'ExpectedCodes'],
  [{ headers: [{ key: 'Host', value: 'a b' }] }],
  [{ headers: [{ key: 'X Y', value: '' }] }, 'Headers'],
  [{ headers: [{ key: 'X', value: 'a\r\nY: b' }] }, 'Headers'],
  [{ sendContext: 'PING', recvContext: ' +PONG~' }],
  [{ sendContext: 'é' }, 'SendContext'],
  [{ recvContext: '\n' }, 'RecvContext'],
  [{ send: 'PING\r\n', expect: '\t+PONG\r\n' }],
  [{ expect: 'SSH-2.0' }],
  [{ send: 'PING' }, 'Expect'],
  [{ send: '\0' }, 'Send'],
  [{ expect: 'é' }, 'Expect'],
  [{ type: 'HTTP', send: 'PING' }, 'Send'],
  [{ type: 'UDP', expect: 'PONG' }, 'Expect'],
  [{ type: 'HTTPS', proxy: 'PPV2' }],
  [{ type: 'UDP', proxy: 'PPV2' }, 'Proxy'],
  [{ type: 'ICMP Ping', proxy: 'PPV1' }, 'Proxy'],
];
for (const [change, field] of TABLE) {
  test(`${JSON.stringify(change)}: ${field ?? 'fine'}`, () => {
    assert.equal(/HealthChecker\.(\w+):/.exec(checkerFault({ ...TCP, ...change }, [])?.detail ?? '')?.[1], field);
  });
}

test('all but ICMP needs a port', () => {
  for (const type of ['HTTP', 'HTTPS', 'TCP', 'UDP'] as const)
    assert.equal(checkerFault({ type }, [])?.detail, `HealthChecker.Port: ${type} needs one.`);
});

test('ICMP needs none', () => {
  assert.equal(checkerFault({ type: 'ICMP Ping' }, []), undefined);
});

test('no check is never wrong', () => {
  assert.equal(checkerFault({ type: 'NoCheck', port: 0, interval: 0, path: '/' }, []), undefined);
});

test('fast checks: from a second, and the time-out may be the interval', () => {
  const fault = (change: Partial<HealthChecker>) => checkerFault({ ...TCP, ...change }, [FAST_CHECKS])?.detail;
  assert.equal(fault({ interval: 1 }), undefined);
  assert.equal(fault({ interval: 3, timeout: 3 }), undefined);
  assert.match(fault({ interval: 3, timeout: 4 }) ?? '', /Timeout/);
  assert.match(fault({ interval: 0 }) ?? '', /1 to 600/);
});

test('a fault names the parameter that the check came in', () => {
  assert.equal(checkerFault({ type: 'TCP' }, [], 'Checker')?.detail, 'Checker.Port: TCP needs one.');
});

test('a record is stamped where its check changes, and is the same one where it does not', () => {
  const record: { id: string; checker?: HealthChecker; changed: number } = { id: 'og-1', changed: 7 };
  assert.equal(withChecker(record, undefined), record);
  const checked = withChecker(record, TCP);
  assert.deepEqual(checked, { id: 'og-1', checker: TCP, changed: THIS_WRITE });
  assert.equal(withChecker(checked, { ...TCP }), checked);
  assert.deepEqual(withChecker({ ...checked, changed: 8 }, undefined), { id: 'og-1', changed: THIS_WRITE });
});
