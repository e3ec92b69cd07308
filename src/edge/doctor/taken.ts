/**
 * Ports of rules that another program on this machine has: the system's own lists say what listens, and which program.
 * Pure but for socketFacts and holdersOf; sockets of the edge of this data folder are its own.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { formatAddress } from '../../lib/net/address.ts';
import type { PortSpan } from '../../lib/net/ports.ts';
import { bad, type Finding, ok } from '../../observe/finding.ts';
import type { Place } from './firewall.ts';

export interface Listening {
  readonly protocol: 'TCP' | 'UDP';
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

interface Holder {
  /** As a person names it: `nginx (pid 12)`. */
  readonly name: string;
  readonly isOurs: boolean;
}

const LISTS = [
  ['TCP', 'tcp'],
  ['TCP', 'tcp6'],
  ['UDP', 'udp'],
  ['UDP', 'udp6'],
] as const;

export function socketFacts(): Listening[] {
  return LISTS.flatMap(([protocol, name]) => {
    try {
      return readListening(protocol, readFileSync(`/proc/self/net/${name}`, 'latin1'));
    } catch {
      return [];
    }
  });
}

/** TCP_LISTEN and, of UDP, sockets without a peer: linux/tcp_states.h. */
const STATE = { TCP: '0A', UDP: '07' } as const;
const LINE = /^\s*\d+: ([\dA-F]+):([\dA-F]{4}) [\dA-F]+:[\dA-F]{4} ([\dA-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+)/;

/** The text of /proc/net/tcp and its like. */
export function readListening(protocol: 'TCP' | 'UDP', text: string): Listening[] {
  return text.split('\n').flatMap((line) => {
    const [, address = '', port = '', state, inode = ''] = LINE.exec(line) ?? [];
    if (state !== STATE[protocol] || address.length % 8 !== 0) return [];
    return [{ protocol, address: addressOf(address), port: Number.parseInt(port, 16), inode }];
  });
}

/** Words of four bytes, each as this machine writes a number. */
function addressOf(hex: string): string {
  const words = Uint32Array.from(hex.match(/.{8}/g) ?? [], (word) => Number.parseInt(word, 16));
  return formatAddress(new Uint8Array(words.buffer));
}

/** Of these inodes, as far as their processes may be looked at. `lock`: the file that an edge of ours has open. */
export function holdersOf(inodes: ReadonlySet<string>, lock: string): ReadonlyMap<string, Holder> {
  const holders = new Map<string, Holder>();
  for (const pid of entriesOf('/proc').filter((name) => /^\d+$/.test(name))) {
    const open = entriesOf(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
    const held = open
      .flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [])
      .filter((inode) => inodes.has(inode));
    if (held.length === 0) continue;
    const holder = { name: `${nameOf(pid)} (pid ${pid})`, isOurs: open.includes(lock) };
    for (const inode of held) if (holders.get(inode)?.isOurs !== true) holders.set(inode, holder);
  }
  return holders;
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  } catch {
    return 'a program';
  }
}

interface Taking {
  readonly place: Place;
  readonly by: Listening;
}

/** Sockets that listen where a rule is. */
export function takings(places: readonly Place[], listening: readonly Listening[]): Taking[] {
  return places.flatMap((place) => {
    const { protocol, to, ports = [] } = place.before;
    if (place.rule === '') return [];
    const isThere = ({ address, port, ...by }: Listening): boolean =>
      by.protocol === protocol && (address === to || isAny(address, place)) && isIn(port, ports);
    return listening.filter(isThere).map((by) => ({ place, by }));
  });
}

/** `::` takes IPv4 too, unless its program has said otherwise, which can't be seen. */
function isAny(address: string, { family }: Place): boolean {
  return address === '::' || (address === '0.0.0.0' && family === 4);
}

function isIn(port: number, spans: readonly PortSpan[]): boolean {
  return spans.some(({ from, to }) => port >= from && port <= to);
}

/** `isRunning`: sockets whose holder can't be seen are taken for ours. */
export function takenFindings(
  all: readonly Taking[],
  holders: ReadonlyMap<string, Holder>,
  isRunning: boolean,
): Finding[] {
  const foreign = all.filter(({ by }) => !(holders.get(by.inode)?.isOurs ?? isRunning));
  if (foreign.length === 0) return [ok('ports of rules', 'no other program has one')];
  return foreign.map(({ place, by }) => {
    const who = holders.get(by.inode)?.name ?? 'another program';
    const text = `${by.protocol} ${place.before.to} port ${by.port} of ${place.rule} is taken by ${who}`;
    return bad('ports of rules', text, 'Stop that, let it listen on another address, or give the rule another port.');
  });
}
