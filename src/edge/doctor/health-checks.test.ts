import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pingState } from '../health/probes/icmp.ts';
import { healthCheckFinding } from './health-checks.ts';

test('pings are told apart from checks that need nothing, with what to change', () => {
  assert.deepEqual(
    [healthCheckFinding({ isRaw: false }), healthCheckFinding({ why: 'no socket (EPERM)', fix: 'grant CAP_NET_RAW' })],
    [
      { about: 'health checks', state: 'ok', text: 'TCP, UDP, HTTP, HTTPS, ICMP Ping (over ping sockets)' },
      {
        about: 'health checks',
        state: 'warn',
        text: 'TCP, UDP, HTTP, HTTPS; not ICMP Ping: no socket (EPERM)',
        fix: 'Only if origins are checked by ICMP Ping: grant CAP_NET_RAW.',
      },
    ],
  );
});

test('this machine: one or the other', () => {
  assert.equal(healthCheckFinding(pingState()).about, 'health checks');
});
