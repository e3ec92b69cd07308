import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindReason, dialCause, isOutOfDescriptors, isPortRefused } from './causes.ts';

for (const [cause, ...codes] of [
  ['origin-refused', 'ECONNREFUSED', 'ECONNRESET'],
  ['origin-timeout', 'ETIMEDOUT'],
  [
    'origin-unreachable',
    'EHOSTUNREACH',
    'EHOSTDOWN',
    'ENETUNREACH',
    'ENETDOWN',
    'EAFNOSUPPORT',
    'EACCES',
    'EPERM',
    'EINVAL',
  ],
  ['no-source-port', 'EADDRNOTAVAIL', 'EADDRINUSE', 'EAGAIN'],
  ['error', 'EMFILE', '', undefined],
] as const) {
  test(`a dial that failed with ${codes.join(', ')} ends as ${cause}`, () =>
    assert.deepEqual(
      codes.map((code) => dialCause(code)),
      codes.map(() => cause),
    ));
}

test("a port of ours that is refused, a lack of descriptors: neither is the origin's fault", () => {
  const codes = ['EADDRINUSE', 'EADDRNOTAVAIL', 'EMFILE', 'ENFILE', 'EAGAIN', undefined];
  assert.deepEqual(codes.map(isPortRefused), [true, true, false, false, false, false]);
  assert.deepEqual(codes.map(isOutOfDescriptors), [false, false, true, true, false, false]);
});

const V4 = { protocol: 'TCP', address: '127.44.0.1', port: 443, key: '' } as const;
const V6 = { protocol: 'UDP', address: '::1', port: 53, key: '' } as const;
const OURS =
  'is in use by this program itself: its API, DNS or metrics, another rule, or a UDP session; choose another port';
const PERMISSION =
  'no permission to bind TCP 127.44.0.1:443; ports below 1024 need CAP_NET_BIND_SERVICE or sysctl net.ipv4.ip_unprivileged_port_start=443';

for (const [code, point, isOurs, reason] of [
  [
    'EADDRINUSE',
    V4,
    false,
    "TCP 127.44.0.1:443 is in use by another program (see: ss -ltnp 'sport = :443'); stop it or choose another port",
  ],
  [
    'EADDRINUSE',
    V6,
    false,
    "UDP [::1]:53 is in use by another program (see: ss -lunp 'sport = :53'); stop it or choose another port",
  ],
  ['EADDRINUSE', V4, true, `TCP 127.44.0.1:443 ${OURS}`],
  ['EACCES', V4, false, PERMISSION],
  ['EPERM', V4, false, PERMISSION],
  [
    'EADDRNOTAVAIL',
    V4,
    false,
    'TCP 127.44.0.1:443: the address is not on this machine; add it to an interface or correct the entry addresses',
  ],
  ['EAFNOSUPPORT', V6, false, 'UDP [::1]:53: this machine has no IPv6; enable it or remove the address'],
  ...(['EMFILE', 'ENFILE'] as const).map(
    (code) =>
      [
        code,
        V4,
        false,
        'TCP 127.44.0.1:443: out of descriptors; the rule needs 5000 listening sockets, raise the limit (ulimit -n)',
      ] as const,
  ),
  ['EWEIRD', V4, false, 'cannot bind TCP 127.44.0.1:443: EWEIRD'],
  [undefined, V4, false, 'cannot bind TCP 127.44.0.1:443: unknown error'],
] as const) {
  test(`a bind that failed with ${code}${isOurs ? ', because of us,' : ''} says where and what to do: ${point.protocol}`, () =>
    assert.equal(
      bindReason(code, point, 5000, (protocol, port) => isOurs && protocol === point.protocol && port === point.port),
      reason,
    ));
}
