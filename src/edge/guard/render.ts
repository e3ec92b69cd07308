/**
 * The table `inet edgefour_guard`: limits in front of every engine. Pure. A packet's way:
 *
 *  prerouting, output  -300  bans, deny and allow lists, UDP packets, new TCP connections; SYNs above the threshold untracked
 *  prerouting, output  -180  new UDP sessions and open connections, of packets that conntrack has just seen first
 *  input, forward         0  untracked SYNs are answered with a cookie, and its bearers are let through
 *
 * One look-up by entry address, protocol and port leads to the chain of the rule, so a packet costs the same with one
 * limited rule and with thousands, and one of no limited rule costs that look-up. Chains and meters are named after what
 * they hold: another limit is another name, and whatever stays the same keeps its state.
 */
import type { PlannedRule } from '../../plan/plan.ts';

export const GUARD_NAME = 'edgefour_guard';
const TABLE = `inet ${GUARD_NAME}`;

/** Why a packet was given up: the words of `dropped` in counters. `syn-cookie`: answered with a cookie instead. */
export const REASONS = [
  'ban',
  'deny',
  'allow',
  'packets',
  'rate',
  'rule-rate',
  'concurrent',
  'rule-concurrent',
  'syn-cookie',
] as const;
export type Reason = (typeof REASONS)[number];

type Family = 4 | 6;

export interface GuardedRule extends Pick<PlannedRule, 'id' | 'proxy' | 'protocol' | 'entries' | 'ports'> {
  readonly limits: NonNullable<PlannedRule['limits']>;
  /** Whether its instance has bans. */
  readonly banned: boolean;
}

export interface SetPiece {
  readonly kind: 'set' | 'map';
  readonly spec: string;
  /** Key → what it leads to in a map; in a set when it ends, milliseconds since 1970, or ''. */
  readonly elements: ReadonlyMap<string, string>;
}

/** Everything in the table beside its base. */
export interface Table {
  readonly sets: ReadonlyMap<string, SetPiece>;
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly counters: ReadonlySet<string>;
}

export interface Networks {
  /** Key of a list's record, or `ban/<instance>` → its networks by family, each with when it ends or ''. */
  readonly [key: string]: Readonly<Record<'v4' | 'v6', ReadonlyMap<string, string>>>;
}

/** limit: sources that a meter remembers; a further one is not limited until one is forgotten. 6 MB at most. */
const MOST_SOURCES = 65_536;
const IP = { 4: 'ip', 6: 'ip6' } as const;
const SYN = 'tcp flags & (fin | syn | rst | ack) == syn';
const SYNPROXY = 'synproxy mss 1460 wscale 7 timestamp sack-perm';
/** The way back from a cookie is open as long after the last SYN above the threshold. */
const ATTACKED = (family: Family): string =>
  `{ type ipv${family}_addr . inet_service; size 65535; flags dynamic,timeout; timeout 1m; }`;
const MAPS = ['gate', 'hold', 'cookie'] as const;
type MapName = (typeof MAPS)[number];

export function counterName(rule: string, reason: Reason): string {
  return `${rule}.${reason}`;
}

export function setName(key: string, family: Family): string {
  return `net-${digest(key)}-${family}`;
}

/** FNV-1a: short, and only names depend on it. */
export function digest(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(text.length - 1 - i), 0x85ebca6b);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

export function render(rules: readonly GuardedRule[], networks: Networks): Table {
  const sets = new Map<string, SetPiece>();
  const chains = new Map<string, readonly string[]>();
  const counters = new Set<string>();
  const verdicts = new Map<string, Map<string, string>>();
  for (const map of MAPS)
    for (const family of [4, 6] as const)
      for (const kind of ['', '-span']) verdicts.set(`${map}${kind}${family}`, new Map());
  for (const rule of rules) {
    const own = chainsOf(rule);
    for (const [name, spec] of own.meters) sets.set(name, { kind: 'set', spec, elements: new Map() });
    for (const key of own.networks)
      for (const family of [4, 6] as const) {
        const type = `{ type ipv${family}_addr; flags interval,timeout; }`;
        sets.set(setName(key, family), {
          kind: 'set',
          spec: type,
          elements: networks[key]?.[`v${family}`] ?? new Map(),
        });
      }
    for (const reason of own.reasons) counters.add(counterName(rule.id, reason));
    for (const [map, lines] of own.chains) {
      if (lines.length === 0) continue;
      const name = `${map}-${rule.id}-${digest(lines.join('\n'))}`;
      chains.set(name, lines);
      if (map !== 'allow') lead(rule, map, name, verdicts);
    }
  }
  for (const [name, elements] of verdicts) {
    const family = name.at(-1);
    const flags = name.includes('span') ? ' flags interval;' : '';
    const spec = `{ type ipv${family}_addr . inet_proto . inet_service : verdict;${flags} }`;
    sets.set(name, { kind: 'map', spec, elements });
  }
  return { sets, chains, counters };
}

function lead(
  rule: GuardedRule,
  map: MapName,
  chain: string,
  verdicts: ReadonlyMap<string, Map<string, string>>,
): void {
  for (const entry of rule.entries)
    for (const { from, to } of rule.ports) {
      const family = entry.includes(':') ? 6 : 4;
      const span = from === to ? `${from}` : `${from}-${to}`;
      const key = `${entry} . ${rule.protocol.toLowerCase()} . ${span}`;
      verdicts.get(`${map}${from === to ? '' : '-span'}${family}`)?.set(key, `goto ${chain}`);
    }
}

interface Own {
  readonly chains: ReadonlyMap<MapName | 'allow', string[]>;
  readonly meters: ReadonlyMap<string, string>;
  readonly networks: ReadonlySet<string>;
  readonly reasons: ReadonlySet<Reason>;
}

function chainsOf({ id, proxy, protocol, entries, limits, banned }: GuardedRule): Own {
  const [gate, hold, cookie, allow] = [[], [], [], []] as [string[], string[], string[], string[]];
  const meters = new Map<string, string>();
  const used = new Set<string>();
  const reasons = new Set<Reason>();
  const families = [...new Set(entries.map((entry): Family => (entry.includes(':') ? 6 : 4)))];
  const isTcp = protocol === 'TCP';
  const count = (reason: Reason): string => {
    reasons.add(reason);
    return `counter name "${counterName(id, reason)}"`;
  };
  const source = (family: Family): string => {
    const bits = family === 4 ? (limits.prefix4 ?? 32) : (limits.prefix6 ?? 64);
    return bits === (family === 4 ? 32 : 128) ? `${IP[family]} saddr` : `${IP[family]} saddr & ${maskOf(bits, family)}`;
  };
  const meter = (what: string, number: number, family: Family, flags: string): string => {
    const name = `${what}-${id}-${digest(`${number} ${source(family)}`)}-${family}`;
    meters.set(name, `{ type ipv${family}_addr; size ${MOST_SOURCES}; flags ${flags}; }`);
    return name;
  };
  const perSource = (chain: string[], when: string, reason: Reason, number: number): void => {
    for (const family of families) {
      const name = meter(reason, number, family, 'dynamic,timeout; timeout 10s');
      const limit = `limit rate over ${number}/second burst ${number} packets`;
      chain.push(`${when}update @${name} { ${source(family)} ${limit} } ${count(reason)} drop`);
    }
  };
  const denied = (key: string, reason: Reason): void => {
    used.add(key);
    for (const family of families) gate.push(`${IP[family]} saddr @${setName(key, family)} ${count(reason)} drop`);
  };

  if (banned) denied(`ban/${proxy}`, 'ban');
  for (const key of limits.deny ?? []) denied(key, 'deny');
  if (limits.allow && limits.allow.length > 0) {
    for (const key of limits.allow) {
      used.add(key);
      for (const family of families) allow.push(`${IP[family]} saddr @${setName(key, family)} return`);
    }
    allow.push(`${count('allow')} drop`);
    gate.push(`jump allow-${id}-${digest(allow.join('\n'))}`);
  }
  const { newPerSecond, ruleNewPerSecond, packetsPerSecond, concurrent, ruleConcurrent, synProxy } = limits;
  if (packetsPerSecond && !isTcp) perSource(gate, '', 'packets', packetsPerSecond);
  const opening = isTcp ? gate : hold;
  const when = isTcp ? `${SYN} ` : '';
  if (newPerSecond) perSource(opening, when, 'rate', newPerSecond);
  if (ruleNewPerSecond)
    opening.push(
      `${when}limit rate over ${ruleNewPerSecond}/second burst ${ruleNewPerSecond} packets ${count('rule-rate')} drop`,
    );
  const refuse = isTcp ? 'reject with tcp reset' : 'drop';
  if (concurrent)
    for (const family of families) {
      const name = meter('concurrent', concurrent, family, 'dynamic');
      hold.push(`add @${name} { ${source(family)} ct count over ${concurrent} } ${count('concurrent')} ${refuse}`);
    }
  if (ruleConcurrent) hold.push(`ct count over ${ruleConcurrent} ${count('rule-concurrent')} ${refuse}`);
  if (synProxy && isTcp)
    for (const family of families) {
      const ip = IP[family];
      const over = `meta nfproto ipv${family} iif != lo ${SYN} limit rate over ${synProxy}/second burst ${synProxy} packets`;
      gate.push(`${over} update @attacked${family} { ${ip} daddr . tcp dport } ${count('syn-cookie')} notrack`);
      cookie.push(`ct state untracked ${SYN} ${SYNPROXY}`);
      cookie.push(
        `${ip} daddr . tcp dport @attacked${family} ct state new,invalid tcp flags & (fin | syn | rst | ack) == ack ${SYNPROXY}`,
      );
    }
  return {
    // order: what is jumped to is there before the jump.
    chains: new Map<MapName | 'allow', string[]>([
      ['allow', allow],
      ['gate', gate],
      ['hold', hold],
      ['cookie', cookie],
    ]),
    meters,
    networks: used,
    reasons,
  };
}

/** As an address: /24 → 255.255.255.0. */
function maskOf(bits: number, family: Family): string {
  const width = family === 4 ? 4 : 16;
  const bytes = Array.from({ length: width }, (_, i) => (0xff << (8 - Math.max(0, Math.min(8, bits - 8 * i)))) & 0xff);
  if (family === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, i) => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16)).join(
    ':',
  );
}

const NEWCOMER = 'ct state new ct status & confirmed == 0';
const BY_ENTRY = (map: MapName): string[] =>
  ([4, 6] as const).flatMap((family) =>
    ['', '-span'].map((kind) => `${IP[family]} daddr . meta l4proto . th dport vmap @${map}${kind}${family}`),
  );
/** What the machine says to itself: a client of its own. Not a SYN that a cookie's bearer has earned. */
const OWN = ['oif != lo return'];
const BASE: readonly (readonly [name: string, hook: string, lines: readonly string[]])[] = [
  ['gates', '', BY_ENTRY('gate')],
  ['holds', '', BY_ENTRY('hold')],
  ['cookies', '', BY_ENTRY('cookie')],
  ['gate-in', 'type filter hook prerouting priority -300', ['iif lo return', 'goto gates']],
  ['gate-out', 'type filter hook output priority -300', [...OWN, 'fib saddr type != local return', 'goto gates']],
  ['hold-in', 'type filter hook prerouting priority -180', ['iif lo return', `${NEWCOMER} goto holds`]],
  ['hold-out', 'type filter hook output priority -180', [...OWN, `${NEWCOMER} goto holds`]],
  ['cookie-in', 'type filter hook input priority 0', ['ct state untracked,new,invalid goto cookies']],
  ['cookie-on', 'type filter hook forward priority 0', ['ct state untracked,new,invalid goto cookies']],
];

export const NOTHING: Table = { sets: new Map(), chains: new Map(), counters: new Set() };

/** Statements of one transaction from `before` to `after`; '' where they are the same. `now`: what is to end has the rest left. */
export function change(before: Table, after: Table, now: number): string {
  const lines: string[] = [];
  for (const name of after.counters) if (!before.counters.has(name)) lines.push(`add counter ${TABLE} ${name}`);
  for (const [name, { kind, spec }] of after.sets)
    if (!before.sets.has(name)) lines.push(`add ${kind} ${TABLE} ${name} ${spec}`);
  for (const [name, rules] of after.chains) {
    if (before.chains.has(name)) continue;
    lines.push(`add chain ${TABLE} ${name}`, ...rules.map((rule) => `add rule ${TABLE} ${name} ${rule}`));
  }
  for (const [name, set] of after.sets) {
    const old = before.sets.get(name)?.elements ?? new Map<string, string>();
    if (old === set.elements) continue;
    const gone = [...old].filter(([key, data]) => set.elements.get(key) !== data).map(([key]) => key);
    const fresh = [...set.elements].filter(([key, data]) => old.get(key) !== data);
    const written = fresh.map(([key, data]) => {
      if (data === '') return key;
      return set.kind === 'map' ? `${key} : ${data}` : `${key} timeout ${Math.max(1, Number(data) - now)}ms`;
    });
    if (gone.length > 0) lines.push(`delete element ${TABLE} ${name} { ${gone.join(', ')} }`);
    if (written.length > 0) lines.push(`add element ${TABLE} ${name} { ${written.join(', ')} }`);
  }
  // order: a jump goes before what it jumps to.
  for (const name of [...before.chains.keys()].toReversed())
    if (!after.chains.has(name)) lines.push(`delete chain ${TABLE} ${name}`);
  for (const [name, { kind }] of before.sets) if (!after.sets.has(name)) lines.push(`delete ${kind} ${TABLE} ${name}`);
  for (const name of before.counters) if (!after.counters.has(name)) lines.push(`delete counter ${TABLE} ${name}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** The whole table, in the place of whatever table of ours is there: one transaction, so no packet finds none. */
export function whole(after: Table, owner: string, now: number): string {
  const base = [
    `add table ${TABLE}`,
    `delete table ${TABLE}`,
    `add table ${TABLE} { comment "${owner}"; }`,
    ...([4, 6] as const).map((family) => `add set ${TABLE} attacked${family} ${ATTACKED(family)}`),
  ];
  const maps = [...after.sets].filter(([, { kind }]) => kind === 'map');
  const first: Table = {
    ...NOTHING,
    sets: new Map(maps.map(([name, set]) => [name, { ...set, elements: new Map() }])),
  };
  const hooks = BASE.flatMap(([name, hook, lines]) => [
    `add chain ${TABLE} ${name}${hook && ` { ${hook}; policy accept; }`}`,
    ...lines.map((line) => `add rule ${TABLE} ${name} ${line}`),
  ]);
  return `${base.join('\n')}\n${change(NOTHING, first, now)}${change(first, after, now)}${hooks.join('\n')}\n`;
}

export const REMOVE = `delete table ${TABLE}\n`;
