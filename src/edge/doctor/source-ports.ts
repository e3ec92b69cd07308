/** How many connections towards one origin the machine has ports for, and how many are left. Pure but for portFacts(). */
import { readFileSync } from 'node:fs';
import type { PortSpan } from '../../lib/net/ports.ts';
import { dialPorts, PORT_FILES, type PortTexts } from '../../linux/dial-ports.ts';
import { type Finding, ok, warn } from '../../observe/finding.ts';

interface PortFacts {
  readonly texts: PortTexts;
  /** The texts of /proc/net/tcp and tcp6. */
  readonly tables: readonly string[];
}

export function portFacts(): PortFacts {
  const texts = Object.fromEntries(PORT_FILES.map((name) => [name, read(`/proc/sys/net/ipv4/${name}`)])) as PortTexts;
  return { texts, tables: [read('/proc/self/net/tcp'), read('/proc/self/net/tcp6')] };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** limit: fewer than the system's own range has are worth a word. */
const MANY = 10_000;
/** A row with a peer: number, local address and port, remote ones. */
const ROW = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) /;
const NO_PEER = /^0+:0000$/;

/** A port is taken towards one address and port while its connection lives, and a minute longer (TIME_WAIT). */
export function sourcePortFinding(spans: readonly PortSpan[], { texts, tables }: PortFacts): Finding {
  const may = dialPorts(spans, texts);
  const count = may.reduce((sum, one) => sum + one, 0);
  const used = busiest(may, tables);
  const text = `${count} of ours: so many connections to one origin within a minute, ${count - used} of them left`;
  if (count >= MANY) return ok('source ports', text);
  const range = texts.ip_local_port_range.trim().replace(/\s+/, '-') || 'unknown';
  return warn(
    'source ports',
    `${text}; beyond that a connection costs twenty times as much`,
    `Widen --source-ports, or narrow net.ipv4.ip_local_port_range (${range}), which is left to other programs.`,
  );
}

/** Most ports of ours that are taken towards any one address and port. */
function busiest(may: Uint8Array, tables: readonly string[]): number {
  const taken = new Map<string, number>();
  for (const table of tables)
    for (const row of table.split('\n')) {
      const [, port = '', peer = ''] = ROW.exec(row) ?? [];
      if (port === '' || NO_PEER.test(peer) || may[Number.parseInt(port, 16)] !== 1) continue;
      taken.set(peer, (taken.get(peer) ?? 0) + 1);
    }
  return taken.values().reduce((most, count) => Math.max(most, count), 0);
}
