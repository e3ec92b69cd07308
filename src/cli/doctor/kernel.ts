/** What the kernel gives the data plane, read from its text files; pure but for system(), so every answer is tested. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { type Finding, ok, warn } from './finding.ts';

/** The texts of the files, '' where there is none. */
export interface KernelFacts {
  readonly platform: string;
  readonly status: string;
  readonly limits: string;
  readonly unprivilegedPortStart: string;
}

export function system(): KernelFacts {
  return {
    platform: process.platform,
    status: read('/proc/self/status'),
    limits: read('/proc/self/limits'),
    unprivilegedPortStart: read('/proc/sys/net/ipv4/ip_unprivileged_port_start'),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function kernelFindings(facts: KernelFacts): Finding[] {
  if (facts.platform !== 'linux')
    return [
      warn(
        'engines',
        `${facts.platform}: only the node engine works here`,
        'For uring, kernel and TOA run it on Linux.',
      ),
    ];
  return [netAdmin(facts), lowPorts(facts), descriptors(facts)];
}

const CAP_NET_BIND_SERVICE = 10;
const CAP_NET_ADMIN = 12;

function netAdmin(facts: KernelFacts): Finding {
  if (holds(facts, CAP_NET_ADMIN)) return ok('kernel engine', 'CAP_NET_ADMIN is there');
  return warn(
    'kernel engine',
    'no CAP_NET_ADMIN, so no nftables',
    'Only if you want that engine: AmbientCapabilities=CAP_NET_ADMIN.',
  );
}

function lowPorts(facts: KernelFacts): Finding {
  const first = Number(facts.unprivilegedPortStart || '1024');
  if (holds(facts, CAP_NET_BIND_SERVICE)) return ok('low ports', 'rules may use any port');
  if (first <= 1) return ok('low ports', 'rules may use any port');
  return warn('low ports', `rules below port ${first} will fail`, 'See docs/how-to/port-443.md.');
}

function holds({ status }: KernelFacts, capability: number): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> BigInt(capability)) & 1n) === 1n;
}

/** limit: two descriptors per TCP connection; below this many a busy edge runs out first of all. */
const COMFORTABLE = 16_384;

function descriptors({ limits }: KernelFacts): Finding {
  const [soft = '', hard = ''] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits)?.slice(1) ?? [];
  // Node raises its soft limit to the hard one when it starts.
  const most = hard || soft;
  const count = most === 'unlimited' ? Infinity : Number(most);
  const text = `${most} open files, about ${Math.max(0, Math.floor(count / 2 - 100))} TCP connections`;
  if (count >= COMFORTABLE) return ok('open files', most === 'unlimited' ? 'no limit' : text);
  return warn('open files', text, 'Raise the hard limit: LimitNOFILE=1048576 in the unit, or ulimit -Hn.');
}
