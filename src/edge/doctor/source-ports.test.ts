import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourcePortFinding } from './source-ports.ts';

const TEXTS = {
  ip_local_port_range: '32768\t60999\n',
  ip_local_reserved_ports: '\n',
  ip_unprivileged_port_start: '1024\n',
};
const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (port: number, peer: string): string =>
  `   0: 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} ${peer} 06 00000000:00000000 03:00000A2B 00000000     0        0 0\n`;

test('the busiest origin says how many connections are left', () => {
  const spans = [{ from: 10_240, to: 32_767 }];
  const table =
    HEAD +
    row(10_240, '0200007F:1F90') +
    row(10_241, '0200007F:1F90') +
    row(10_240, '0300007F:1F90') +
    row(40_000, '0200007F:1F90') +
    row(10_300, '00000000:0000');
  const finding = sourcePortFinding(spans, { texts: TEXTS, tables: [table, ''] });
  assert.deepEqual(finding, {
    about: 'source ports',
    state: 'ok',
    text: '22528 of ours: so many connections to one origin within a minute, 22526 of them left',
  });
});

test('a system that hands out all ports itself leaves none', () => {
  const texts = { ...TEXTS, ip_local_port_range: '1024\t65535\n' };
  const finding = sourcePortFinding([{ from: 10_240, to: 32_767 }], { texts, tables: [] });
  assert.equal(finding.state, 'warn');
  assert.match(finding.text, /^0 of ours: /);
  assert.match(finding.fix ?? '', /narrow net\.ipv4\.ip_local_port_range \(1024-65535\)/);
});
