/**
 * Machines in one: a client, an origin, and one or more proxies side by side between them: network namespaces, each proxy
 * joined to both by a veth pair of its own, so that none shares what another sets up in its kernel. The limits of each are
 * raised as an operator of a busy proxy would. Needs root; up() takes down what a run before it left.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const PREFIX = 'e4b-';
const clientSide = (i: number): string => `10.90.${10 + 2 * i}`;
const originSide = (i: number): string => `10.90.${11 + 2 * i}`;

/** The first proxy is `proxy`, the others `proxy-1`, `proxy-2` … */
export type Place = 'client' | 'origin' | 'proxy' | `proxy-${number}`;
export const proxyPlace = (i: number): Place => (i === 0 ? 'proxy' : `proxy-${i}`);

/** Where clients find proxy `i`. */
export const entryOf = (i: number): string => `${clientSide(i)}.254`;
export const ENTRY = entryOf(0);
export const ORIGIN = '10.90.0.1';

/** cubic, because a congestion control that paces (bbr) measures itself. */
const SYSCTLS = [
  'net.ipv4.ip_forward=1',
  'net.ipv4.ip_local_port_range=1024 65535',
  'net.ipv4.tcp_tw_reuse=1',
  'net.core.somaxconn=65535',
  'net.ipv4.tcp_max_syn_backlog=65535',
  'net.ipv4.tcp_max_tw_buckets=4096',
  'net.ipv4.tcp_rmem=4096 131072 16777216',
  'net.ipv4.tcp_wmem=4096 65536 16777216',
  'net.ipv4.tcp_slow_start_after_idle=0',
  'net.ipv4.tcp_congestion_control=cubic',
];
/** Settings that keep the client from running out of ports itself. */
const MANY_PORTS = SYSCTLS.filter((setting) => /local_port_range|tw_/.test(setting));
/** Of the whole machine, put back by down(). */
const SHARED: Readonly<Record<string, string>> = {
  'net/ipv4/tcp_allowed_congestion_control': 'reno bbr cubic',
  'net/core/rmem_max': '33554432',
  'net/core/wmem_max': '33554432',
  'net/core/netdev_max_backlog': '65536',
  'fs/pipe-user-pages-soft': '0',
};
const before = new Map<string, string>();

/** `limits`: `raised`, also of the whole machine until down(); `defaults`: as the system has them, but for the client. */
export function up(proxies = 1, limits: 'raised' | 'defaults' = 'raised'): void {
  down();
  if (limits === 'raised') for (const [name, value] of Object.entries(SHARED)) setShared(name, value);
  const places = Array.from({ length: proxies }, (_, i) => proxyPlace(i));
  for (const place of ['client', 'origin', ...places]) {
    ip('netns', 'add', PREFIX + place);
    ip('-n', PREFIX + place, 'link', 'set', 'lo', 'up');
  }
  ip('-n', `${PREFIX}origin`, 'addr', 'add', `${ORIGIN}/32`, 'dev', 'lo');
  for (const [i, place] of places.entries()) {
    link(place, 'client', `c${i}`, clientSide(i));
    link(place, 'origin', `o${i}`, originSide(i));
    ip('-n', PREFIX + place, 'route', 'add', ORIGIN, 'via', `${originSide(i)}.1`);
  }
  // Without a proxy, packets to the origin pass through the first one's machine.
  ip('-n', `${PREFIX}client`, 'route', 'add', 'default', 'via', ENTRY);
  ip('-n', `${PREFIX}origin`, 'route', 'add', 'default', 'via', `${originSide(0)}.254`);
  for (const place of ['client', 'origin', ...places] as const) {
    if (limits === 'defaults' && place !== 'client') continue;
    const [command = '', ...args] = inside(place, ['sysctl', '-qw', ...(limits === 'raised' ? SYSCTLS : MANY_PORTS)]);
    execFileSync(command, args);
  }
}

/** More addresses of the origin, all in `net`. */
export function moreOrigins(proxies: number, net: string, addresses: readonly string[]): void {
  moreAddresses('origin', addresses);
  for (let i = 0; i < proxies; i++) ip('-n', PREFIX + proxyPlace(i), 'route', 'add', net, 'via', `${originSide(i)}.1`);
}

export function moreAddresses(place: Place, addresses: readonly string[]): void {
  const input = addresses.map((address) => `addr add ${address}/32 dev lo\n`).join('');
  execFileSync('ip', ['-n', PREFIX + place, '-batch', '-'], { input });
}

/** Joins a proxy with a neighbour: .254 is the proxy's, .1 the other's. */
function link(place: Place, neighbour: Place, name: string, net: string): void {
  const [near, far] = [PREFIX + place, PREFIX + neighbour];
  ip('link', 'add', name, 'netns', far, 'type', 'veth', 'peer', 'name', name, 'netns', near);
  for (const [space, address] of [
    [near, `${net}.254`],
    [far, `${net}.1`],
  ] as const) {
    ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', name);
    ip('-n', space, 'link', 'set', name, 'up');
  }
}

export function down(): void {
  const present = ip('netns', 'list')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
  for (const space of present) if (space.startsWith(PREFIX)) ip('netns', 'del', space);
  for (const [name, value] of before) writeFileSync(`/proc/sys/${name}`, value);
  before.clear();
}

/** The command that runs `args` there. nsenter, because `ip netns exec` would hide the cgroups that TOA needs. */
export function inside(place: Place, args: readonly string[]): string[] {
  return ['nsenter', `--net=/run/netns/${PREFIX}${place}`, ...args];
}

function setShared(name: string, value: string): void {
  const path = `/proc/sys/${name}`;
  before.set(name, readFileSync(path, 'latin1').trim());
  writeFileSync(path, value);
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'latin1' });
}
