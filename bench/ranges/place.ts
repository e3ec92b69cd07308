/**
 * Where ranges are measured: a client, an origin, and a proxy's network namespace for each candidate between them, so that
 * one's address translation is nobody else's cost. Needs root; build() takes down what a run before it left.
 */
import { execFileSync } from 'node:child_process';

const PREFIX = 'e4r-';
type Place = 'client' | 'origin' | number;

export const ORIGIN = '10.91.0.1';
/** The first port of every candidate's range; and the one of a listener that others' ports are led to. */
export const FIRST = 10_000;
export const ALONE = 7000;

const SYSCTLS = [
  'net.ipv4.ip_forward=1',
  'net.ipv4.ip_local_port_range=32768 65535',
  'net.ipv4.tcp_tw_reuse=1',
  'net.ipv4.tcp_max_tw_buckets=4096',
  'net.core.somaxconn=65535',
  'net.ipv4.tcp_max_syn_backlog=65535',
  'net.ipv4.tcp_congestion_control=cubic',
];

export function entryOf(candidate: number): string {
  return `10.91.${10 + 2 * candidate}.254`;
}

export function build(candidates: number): void {
  takeDown();
  const places: Place[] = ['client', 'origin', ...Array.from({ length: candidates }, (_, i) => i)];
  for (const place of places) {
    ip('netns', 'add', nameOf(place));
    ip('-n', nameOf(place), 'link', 'set', 'lo', 'up');
  }
  ip('-n', nameOf('origin'), 'addr', 'add', `${ORIGIN}/32`, 'dev', 'lo');
  for (let i = 0; i < candidates; i++) {
    join('client', i, `10.91.${10 + 2 * i}`);
    join('origin', i, `10.91.${11 + 2 * i}`);
    ip('-n', nameOf(i), 'route', 'add', ORIGIN, 'via', `10.91.${11 + 2 * i}.1`);
  }
  ip('-n', nameOf('client'), 'route', 'add', ORIGIN, 'via', entryOf(0));
  ip('-n', nameOf('origin'), 'route', 'add', '10.91.10.0/24', 'via', '10.91.11.254');
  for (const place of places) run(inside(place, ['sysctl', '-qw', ...SYSCTLS]));
}

export function takeDown(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [name = ''] = line.split(' ');
    if (name.startsWith(PREFIX)) ip('netns', 'del', name);
  }
}

/** The command that runs `args` there. */
export function inside(place: Place, args: readonly string[]): string[] {
  return ['nsenter', `--net=/run/netns/${nameOf(place)}`, ...args];
}

export function run([command = '', ...args]: readonly string[], input = ''): string {
  return execFileSync(command, args, { encoding: 'latin1', input });
}

function nameOf(place: Place): string {
  return PREFIX + (typeof place === 'number' ? `p${place}` : place);
}

function join(end: 'client' | 'origin', candidate: number, net: string): void {
  const [here, there] = [`v${candidate}`, `v${end[0]}`];
  ip('link', 'add', here, 'netns', nameOf(end), 'type', 'veth', 'peer', 'name', there, 'netns', nameOf(candidate));
  ip('-n', nameOf(end), 'addr', 'add', `${net}.1/24`, 'dev', here);
  ip('-n', nameOf(candidate), 'addr', 'add', `${net}.254/24`, 'dev', there);
  ip('-n', nameOf(end), 'link', 'set', here, 'up');
  ip('-n', nameOf(candidate), 'link', 'set', there, 'up');
}

function ip(...args: string[]): string {
  return run(['ip', ...args]);
}
