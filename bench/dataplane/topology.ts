/**
 * Three machines in one: client – proxy – origin, network namespaces joined by two veth pairs, with the limits of each
 * raised as an operator of a busy proxy would. Needs root; up() takes down what a run before it left.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

export const NAMESPACES = { client: 'e4b-client', proxy: 'e4b-proxy', origin: 'e4b-origin' } as const;
export type Place = keyof typeof NAMESPACES;
export const ENTRY = '10.90.1.254';
export const ORIGIN = '10.90.2.1';

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
/** Of the whole machine, put back by down(). */
const SHARED: Readonly<Record<string, string>> = {
  'net/ipv4/tcp_allowed_congestion_control': 'reno bbr cubic',
  'net/core/rmem_max': '33554432',
  'net/core/wmem_max': '33554432',
  'net/core/netdev_max_backlog': '65536',
  'fs/pipe-user-pages-soft': '0',
};
const before = new Map<string, string>();

export function up(): void {
  down();
  for (const [name, value] of Object.entries(SHARED)) setShared(name, value);
  const { client, proxy, origin } = NAMESPACES;
  for (const space of Object.values(NAMESPACES)) {
    ip('netns', 'add', space);
    ip('-n', space, 'link', 'set', 'lo', 'up');
  }
  ip('link', 'add', 'vc0', 'netns', client, 'type', 'veth', 'peer', 'name', 'vc1', 'netns', proxy);
  ip('link', 'add', 'vo0', 'netns', origin, 'type', 'veth', 'peer', 'name', 'vo1', 'netns', proxy);
  for (const [space, link, address] of [
    [client, 'vc0', '10.90.1.1'],
    [proxy, 'vc1', ENTRY],
    [proxy, 'vo1', '10.90.2.254'],
    [origin, 'vo0', ORIGIN],
  ] as const) {
    ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', link);
    ip('-n', space, 'link', 'set', link, 'up');
  }
  ip('-n', client, 'route', 'add', 'default', 'via', ENTRY);
  ip('-n', origin, 'route', 'add', 'default', 'via', '10.90.2.254');
  for (const place of ['client', 'proxy', 'origin'] as const) {
    const [command = '', ...args] = inside(place, ['sysctl', '-qw', ...SYSCTLS]);
    execFileSync(command, args);
  }
}

export function down(): void {
  const present = new Set(
    ip('netns', 'list')
      .split('\n')
      .map((line) => line.split(' ')[0]),
  );
  for (const space of Object.values(NAMESPACES)) if (present.has(space)) ip('netns', 'del', space);
  for (const [name, value] of before) writeFileSync(`/proc/sys/${name}`, value);
  before.clear();
}

/** The command that runs `args` there. nsenter, because `ip netns exec` would hide the cgroups that TOA needs. */
export function inside(place: Place, args: readonly string[]): string[] {
  return ['nsenter', `--net=/run/netns/${NAMESPACES[place]}`, ...args];
}

function setShared(name: string, value: string): void {
  const path = `/proc/sys/${name}`;
  before.set(name, readFileSync(path, 'latin1').trim());
  writeFileSync(path, value);
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'latin1' });
}
