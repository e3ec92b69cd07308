import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindReason, dialCause, isOutOfDescriptors } from './causes.ts';

test('a failed dial has its cause', () => {
  const codes = ['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EPERM', 'EMFILE', undefined];
  assert.deepEqual(
    codes.map((code) => dialCause(code)),
    [
      'origin-refused',
      'origin-timeout',
      'origin-unreachable',
      'origin-unreachable',
      'origin-unreachable',
      'error',
      'error',
    ],
  );
  assert.deepEqual(['EMFILE', 'ENFILE', 'EAGAIN'].map(isOutOfDescriptors), [true, true, false]);
});

test('a bind that failed names the place and what to do', () => {
  const v4 = { protocol: 'TCP', address: '127.44.0.1', port: 443, key: '' } as const;
  const v6 = { protocol: 'UDP', address: '::1', port: 53, key: '' } as const;
  assert.match(
    bindReason('EADDRINUSE', v4, 1, () => false),
    /^TCP 127\.44\.0\.1:443 is in use.*ss -ltnp 'sport = :443'/,
  );
  assert.match(
    bindReason('EADDRINUSE', v6, 1, () => false),
    /^UDP \[::1\]:53 is in use.*ss -lunp/,
  );
  assert.match(
    bindReason('EADDRINUSE', v4, 1, () => true),
    /^TCP 127\.44\.0\.1:443 is in use by this program itself/,
  );
  assert.match(
    bindReason('EACCES', v4, 1, () => false),
    /TCP 127\.44\.0\.1:443.*CAP_NET_BIND_SERVICE.*port_start=443/,
  );
  assert.match(
    bindReason('EADDRNOTAVAIL', v4, 1, () => false),
    /127\.44\.0\.1:443: the address is not on this machine/,
  );
  assert.match(
    bindReason('EAFNOSUPPORT', v6, 1, () => false),
    /no IPv6/,
  );
  assert.match(
    bindReason('EMFILE', v4, 5000, () => false),
    /needs 5000 listening sockets.*ulimit -n/,
  );
  assert.equal(
    bindReason('EWEIRD', v4, 1, () => false),
    'cannot bind TCP 127.44.0.1:443: EWEIRD',
  );
});
