import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { parseLinkAddress } from './address.ts';

test('paths and URLs', () => {
  const cases: readonly (readonly [string, object])[] = [
    ['/var/lib/e/link.sock', { kind: 'socket', path: '/var/lib/e/link.sock' }],
    ['./link.sock', { kind: 'socket', path: './link.sock' }],
    ['unix:/run/l.sock', { kind: 'socket', path: '/run/l.sock' }],
    ['http://127.0.0.1:7455', { kind: 'url', tls: false, host: '127.0.0.1', port: 7455 }],
    ['https://control.example.com', { kind: 'url', tls: true, host: 'control.example.com', port: 443 }],
    ['https://[2001:db8::1]:7455', { kind: 'url', tls: true, host: '2001:db8::1', port: 7455 }],
  ];
  for (const [text, address] of cases) assert.deepEqual(parseLinkAddress(text), address);
});

test('what can’t be used says what to do', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /give a socket/],
    ['ftp://host', /give a socket/],
    ['https://', /not a URL/],
    ['https://host/path', /host and port only/],
    ['https://user@host', /host and port only/],
    ...(process.platform === 'linux' ? [] : [[`/${'x'.repeat(200)}`, /shorter folder/] as const]),
  ];
  for (const [text, reason] of cases) {
    const address = parseLinkAddress(text);
    assert.match('bad' in address ? address.bad : 'accepted', reason, text);
  }
});
