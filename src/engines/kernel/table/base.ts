/**
 * The table `inet edgefour` with no rule in it: the chains that all rules share, and with sets.ts its whole text. What a rule
 * adds is in contents.ts. A packet's way:
 *
 *  output              -300  our own probes are not tracked
 *  prerouting, output  -100  first packet of a connection: entry address and port → the rule's mark → a target
 *  prerouting, output   -90  every packet of ours: counted by rule and direction; who ends first is noted in the mark; a
 *                            new connection of a rule that has no target is refused
 *  forward               10  of a connection that has come so far: stamped for the fast path, where there is one
 *  postrouting, input   100  the first packet again, on its way out: counted as a connection, time-outs set, source replaced
 *
 * Every step is a look-up in a hash or an interval tree, so a packet costs the same with one rule and with ten thousand.
 * Pure.
 */
import { hex } from '../../../linux/nft/nf-tables.ts';
import { OWNER_CHAIN } from '../../../linux/nft/whole-tables.ts';
import { PLACEHOLDER, PROBE_MARK } from '../../packet-marks.ts';
import { endingBits, ENDING_MASK, ENDINGS, OURS, RULE_MASK, TARGET_MASK } from './marks.ts';
import { DIAL_SETS, type Family, GUARD_CHAIN, SETS, TABLE } from './sets.ts';

interface Chain {
  readonly name: string;
  readonly hook?: string;
  readonly lines: readonly string[];
}

const RULE = `ct mark & ${hex(RULE_MASK)}`;
const OTHERS = `ct mark & ${hex(OURS)} != ${hex(OURS)} return`;
const note = (ending: (typeof ENDINGS)[keyof typeof ENDINGS]): string =>
  `ct mark set ct mark | ${hex(endingBits(ending))}`;

/** From the rule to the target. Chain `reach`: one target and one port is the usual case, so it is looked up first. */
function towards(family: Family): Chain[] {
  const ip = family === 4 ? 'ip' : 'ip6';
  const dnat = `meta l4proto { tcp, udp } dnat ${ip} to`;
  return [
    { name: `one${family}`, lines: [`${dnat} ct mark map @to${family}`] },
    { name: `keep${family}`, lines: [`dnat ${ip} to ct mark map @host${family}`] },
    { name: `shift${family}`, lines: [`${dnat} ct mark map @host${family} : ${RULE} . th dport map @shift`] },
    // The only look-up in this map: an element that comes costs the kernel a step for each rule that looks there.
    { name: `counted${family}`, lines: [`ct mark set ct mark map @counts${family}`] },
    { name: `reach${family}`, lines: [`${dnat} ct mark map @to${family}`, `ct mark vmap @more${family}`] },
    {
      name: `enter${family}`,
      lines: ['entry', 'span'].map(
        (map) => `ct mark set ${ip} daddr . meta l4proto . th dport map @${map}${family} goto reach${family}`,
      ),
    },
  ];
}

const LEADING = [
  // not: a segment from the middle of an unknown connection. The system answers it with a reset.
  'meta l4proto tcp tcp flags & (fin | syn | rst | ack) != syn return',
  'meta nfproto vmap { ipv4 : goto enter4, ipv6 : goto enter6 }',
];
// A refusal's own answer passes here too, and opens nothing.
const COUNTING = [
  OTHERS,
  'ct direction reply return',
  'meta l4proto vmap { tcp : jump dialled, udp : jump spoken-to }',
  `${RULE} @fresh`,
  `${RULE} vmap @settings`,
];

/** FIN, SYN or RST, spelled so that nft does not look at the protocol again: that is known by then. */
const IS_EDGE = '@th,104,8 & 0x07 != 0';

/**
 * Every packet of every connection on the machine passes here, so each step counts: protocol, counter, and for TCP whether
 * it opens or ends one. The rule is looked up for those few only.
 */
function watching(family: Family): Chain[] {
  const counted = `${RULE} . ct direction @seen${family}`;
  return [
    { name: `watch${family}-tcp`, lines: [counted, `${IS_EDGE} goto edge`] },
    {
      name: `watch${family}-udp`,
      lines: [counted, 'ct state new goto newcomer', 'ct direction reply ct reply packets 1 goto heard'],
    },
    {
      name: `watch${family}-error`,
      lines: [UNHEARD[family], OTHERS, `ct reply protocol udp update @unheard { ct mark & ${hex(TARGET_MASK)} }`],
    },
  ];
}

/** What comes back for a datagram where no program has the port; with it goes the connection that it is about. */
const UNHEARD = {
  4: 'icmp type . icmp code != { destination-unreachable . port-unreachable } return',
  6: 'icmpv6 type . icmpv6 code != { destination-unreachable . port-unreachable } return',
} as const;

/** A step of a dial or a session, counted by the origin's address and port (account/dials.ts). */
function noting(name: string, set: 'dials' | 'rejected' | 'sessions', key: (ip: 'ip' | 'ip6') => string): Chain {
  return { name, lines: [`update @${set}4 { ${key('ip')} }`, `update @${set}6 { ${key('ip6')} }`] };
}

/** The first answer of a UDP session. */
function heard(): Chain {
  const { lines, ...chain } = noting('heard', 'sessions', (ip) => `${ip} saddr . th sport . ct direction`);
  return { ...chain, lines: [OTHERS, ...lines] };
}

/** In an order in which each is there before it is jumped to. */
const CHAINS: readonly Chain[] = [
  ...towards(4),
  ...towards(6),
  { name: 'lead', lines: LEADING },
  noting('dialled', 'dials', (ip) => `${ip} daddr . th dport . ct direction`),
  noting('answered', 'dials', (ip) => `${ip} saddr . th sport . ct direction`),
  noting('rejected', 'rejected', (ip) => `${ip} saddr . th sport`),
  noting('spoken-to', 'sessions', (ip) => `${ip} daddr . th dport . ct direction`),
  heard(),
  {
    name: 'ending',
    lines: [
      `tcp flags & rst != 0 ct direction original ${note(ENDINGS.clientReset)} return`,
      // Before the handshake is complete.
      'tcp flags & rst != 0 ct status & assured == 0 jump rejected',
      `tcp flags & rst != 0 ${note(ENDINGS.originReset)} return`,
      `ct direction original ${note(ENDINGS.clientFin)} return`,
      note(ENDINGS.originFin),
    ],
  },
  {
    name: 'newcomer',
    lines: [
      OTHERS,
      `${RULE} @refused meta l4proto tcp reject with tcp reset`,
      `${RULE} @refused reject with icmpx port-unreachable`,
    ],
  },
  {
    name: 'edge',
    lines: [
      'ct state new goto newcomer',
      OTHERS,
      'ct direction reply tcp flags & (syn | ack) == (syn | ack) goto answered',
      `tcp flags & (fin | rst) != 0 ct mark & ${hex(ENDING_MASK)} == 0 jump ending`,
    ],
  },
  ...watching(4),
  ...watching(6),
  {
    name: 'watch',
    lines: [
      'meta nfproto . meta l4proto vmap { ipv4 . tcp : goto watch4-tcp, ipv4 . udp : goto watch4-udp, ipv6 . tcp : goto watch6-tcp, ipv6 . udp : goto watch6-udp, ipv4 . icmp : goto watch4-error, ipv6 . ipv6-icmp : goto watch6-error }',
    ],
  },
  { name: 'untracked', hook: 'type filter hook output priority -300', lines: [`meta mark ${hex(PROBE_MARK)} notrack`] },
  { name: 'lead-in', hook: 'type nat hook prerouting priority -100', lines: ['goto lead'] },
  // limit: output takes no word for -100.
  {
    name: 'lead-out',
    hook: 'type nat hook output priority -100',
    lines: [`meta mark ${hex(PLACEHOLDER.mark)} return`, 'goto lead'],
  },
  // On loopback a packet passes output and prerouting; once is enough.
  { name: 'watch-in', hook: 'type filter hook prerouting priority -90', lines: ['iif lo return', 'goto watch'] },
  { name: 'watch-out', hook: 'type filter hook output priority -90', lines: ['goto watch'] },
  {
    name: 'leave',
    hook: 'type nat hook postrouting priority 100',
    lines: [...COUNTING, 'oif lo return', 'masquerade'],
  },
  { name: 'stay', hook: 'type nat hook input priority 100', lines: COUNTING },
];

/** Where the engine itself has switched forwarding on: packets that were not passed on before are not passed on now. */
const GUARD: Chain = {
  name: GUARD_CHAIN,
  hook: 'type filter hook forward priority 0',
  lines: ['meta nfproto ipv6 return', `ct mark & ${hex(OURS)} == ${hex(OURS)} return`, 'counter drop'],
};

/** order: after the filters of others, so that what they drop is never learned. */
const FAST = { name: 'fast', hook: 'type filter hook forward priority 10' } as const;

export interface TableOptions {
  /** With GUARD. */
  readonly isGuarded: boolean;
  /** What the chain `fast` does with packets that are passed on: acceleration.ts. */
  readonly stamp: readonly string[];
  /** Id of the edge that owns the table; it can be part of a chain's name. */
  readonly owner: string;
  /** Owners until now. */
  readonly former?: readonly string[];
  /** It is checked and not made, so that it is without what switches nf_conntrack_acct on even so. */
  readonly isTried?: true;
}

/** Makes the table, or makes an older one so: its elements, counters and the chains of rules stay. For `nft -f`. */
export function baseText({ isGuarded, stamp, owner, former = [], isTried }: TableOptions): string {
  const owned: Chain = { name: `${OWNER_CHAIN}${owner}`, lines: [] };
  const all = [...CHAINS, { ...FAST, lines: stamp }, ...(isGuarded ? [GUARD] : []), owned];
  const isKept = (line: string): boolean => !isTried || !line.includes('packets');
  const chains = all.map(({ lines, ...chain }) => ({ ...chain, lines: lines.filter(isKept) }));
  return [
    `add table ${TABLE} { comment "${owner}"; }`,
    ...[...Object.values(SETS), ...Object.values(DIAL_SETS)].map((set) => `add ${set.replace(' ', ` ${TABLE} `)}`),
    ...all.map(({ name, hook }) => `add chain ${TABLE} ${name}${hook ? ` { ${hook}; policy accept; }` : ''}`),
    ...chains.map(({ name }) => `flush chain ${TABLE} ${name}`),
    ...chains.flatMap(({ name, lines }) => lines.map((line) => `add rule ${TABLE} ${name} ${line}`)),
    ...former.map((id) => `delete chain ${TABLE} ${OWNER_CHAIN}${id}`),
    '',
  ].join('\n');
}
