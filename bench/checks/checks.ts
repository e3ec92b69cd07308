/** The checks that are measured, and the addresses that are checked. Used by the bench and by the test of many checks. */
import type { Checker } from '../../src/domain/load-balancer/checker.ts';
import { formatAddress } from '../../src/lib/net/address.ts';

interface Times {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
}
type Check = (port: number, n: number, times: Times) => Checker;

const usual = { rise: 3, fall: 2 };
const ping = { send: 'PING\r\n', expect: '+PONG' };
const request = {
  method: 'GET',
  path: 'www.example.com/',
  codes: ['200'],
  headers: [],
  followsRedirects: false,
} as const;

const tcp: Check = (port, _, times) => ({ type: 'TCP', port, ...usual, ...timesOf(times) });
const answered: Check = (port, _, times) => ({ type: 'TCP', port, ...ping, ...usual, ...timesOf(times) });
const http: Check = (port, _, times) => ({ type: 'HTTP', port, ...request, ...usual, ...timesOf(times) });
const udp: Check = (port, _, times) => ({ type: 'UDP', port, ...ping, ...usual, ...timesOf(times) });
const icmp: Check = (_port, _, times) => ({ type: 'ICMP Ping', ...usual, ...timesOf(times) });

const MIXED = [tcp, answered, http, udp];
const mixed: Check = (port, n, times) => MIXED[n % MIXED.length]!(port, n, times);

export const CHECKS = { tcp, answered, http, udp, icmp, mixed } as const;
export type Kind = keyof typeof CHECKS;

const timesOf = ({ intervalSeconds, timeoutSeconds }: Times): Times => ({ intervalSeconds, timeoutSeconds });

/** Those that drop packets where the bench runs begin so. */
export const DEAF = '127.200.';

/** Of loopback. */
export function addressOf(n: number, isDeaf: boolean): string {
  return formatAddress(Uint8Array.of(127, isDeaf ? 200 : 100 + (n >> 16), (n >> 8) & 255, n & 255));
}
