/** What this process is, may do and have, read from the kernel's text files. Pure but for nodeFinding and processFacts. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { bad, type Finding, ok, warn } from '../../observe/finding.ts';

/** The texts of the files, '' where there is none. */
export interface ProcessFacts {
  readonly platform: string;
  readonly status: string;
  readonly limits: string;
  readonly unprivilegedPortStart: string;
}

export function processFacts(): ProcessFacts {
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

export function nodeFinding(): Finding {
  const [major = 0] = process.versions.node.split('.').map(Number);
  const text = `${process.version} on ${process.platform}-${process.arch}`;
  return major >= 26 ? ok('Node', text) : bad('Node', text, 'EdgeFour runs on Node 26: `npm ci` brings it along.');
}

export function processFindings(facts: ProcessFacts): Finding[] {
  if (facts.platform !== 'linux')
    return [
      warn(
        'engines',
        `${facts.platform}: only the node engine works here`,
        'For uring, kernel and TOA run it on Linux.',
      ),
    ];
  return [lowPorts(facts), descriptors(facts)];
}

const CAP_NET_BIND_SERVICE = 10;

function lowPorts({ status, unprivilegedPortStart }: ProcessFacts): Finding {
  const first = Number(unprivilegedPortStart || '1024');
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const mayBind = ((BigInt(`0x${mask}`) >> BigInt(CAP_NET_BIND_SERVICE)) & 1n) === 1n;
  if (mayBind || first <= 1) return ok('low ports', 'rules may use any port');
  return warn('low ports', `rules below port ${first} will fail`, 'See docs/how-to/port-443.md.');
}

/** limit: two descriptors per TCP connection; below this many a busy edge runs out first of all. */
const COMFORTABLE = 16_384;

function descriptors({ limits }: ProcessFacts): Finding {
  const [soft = '', hard = ''] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits)?.slice(1) ?? [];
  // Node raises its soft limit to the hard one when it starts.
  const most = hard || soft;
  const count = most === 'unlimited' ? Infinity : Number(most);
  const text = most === 'unlimited' ? 'no limit' : `${most} open files, two for each TCP connection of a relay`;
  if (count >= COMFORTABLE) return ok('open files', text);
  return warn('open files', text, 'Raise the hard limit: LimitNOFILE=1048576 in the unit, or ulimit -Hn.');
}
