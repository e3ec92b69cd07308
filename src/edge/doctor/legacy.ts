/**
 * The tables of the older iptables (x_tables), which nft does not show, as `iptables-legacy-save` tells them: read into the
 * same chains as ruleset.ts reads nftables into. A condition that is not understood may or may not hold. Pure; never
 * throws, whatever the text.
 */
import { parsePortSpan } from '../../lib/net/ports.ts';
import type { Ask, Chain, Rule, Verdict } from './ruleset.ts';

const LEGACY = ' of iptables-legacy';
export type LegacyFamily = 'ip' | 'ip6';

export function isLegacy(table: string): boolean {
  return table.endsWith(LEGACY);
}

/** `iptables-legacy -t mangle -I FORWARD`: where a rule comes before all others of the chain. */
export function legacyInsert({ table, name }: Chain): string {
  const [family, of = 'filter'] = table.split(' ');
  return `${family === 'ip6' ? 'ip6' : 'ip'}tables-legacy ${of === 'filter' ? '' : `-t ${of} `}-I ${name}`;
}

/** Table and chain → where the kernel calls it. */
const PRIORITIES: Readonly<Record<string, number>> = { raw: -300, mangle: -150, nat: -100, filter: 0, security: 50 };
const HOOKS = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']);

/** By `<family> <table> of iptables-legacy <chain>`. */
export function readLegacy(text: string, family: LegacyFamily): ReadonlyMap<string, Chain> {
  const chains = new Map<string, Chain & { rules: Rule[] }>();
  let of = '';
  let table = '';
  for (const line of text.split('\n')) {
    const words = wordsOf(line);
    const [first = ''] = words;
    if (first.startsWith('*')) {
      of = first.slice(1);
      table = `${family} ${of}${LEGACY}`;
    } else if (first.startsWith(':')) {
      const name = first.slice(1);
      const hook = HOOKS.has(name) && Object.hasOwn(PRIORITIES, of) && hookOf(of, name, words[1] === 'DROP');
      chains.set(`${table} ${name}`, { table, name, rules: [], ...(hook && { hook }) });
    } else {
      // A count of packets may stand before it.
      const [verb, chain = '', ...rest] = first.startsWith('[') ? words.slice(1) : words;
      const rule = verb === '-A' ? ruleOf(rest, (name) => chains.has(`${table} ${name}`)) : undefined;
      if (rule) chains.get(`${table} ${chain}`)?.rules.push(rule);
    }
  }
  return chains;
}

function hookOf(table: string, chain: string, drops: boolean): NonNullable<Chain['hook']> {
  const type = table === 'nat' ? 'nat' : 'filter';
  // What leaves is translated last.
  const priority = table === 'nat' && (chain === 'POSTROUTING' || chain === 'INPUT') ? 100 : (PRIORITIES[table] ?? 0);
  return { name: chain.toLowerCase(), type, priority, drops };
}

/** limit: a rule of iptables is some hundred characters; what is longer is cut, and what is cut off asks nothing. */
const MOST_LINE = 8_192;

/** Words as a shell would read them: a remark in quotes is one. */
function wordsOf(line: string): string[] {
  const found = line.slice(0, MOST_LINE).match(/"(?:\\.|[^"\\])*"|[^\s"]+/g) ?? [];
  return found.map((word) => (word.startsWith('"') ? word.slice(1, -1) : word));
}

/** Extensions that ask nothing by being named. */
const SILENT = new Set(['tcp', 'udp', 'comment', 'multiport', 'conntrack', 'state', 'connmark', 'mark']);
const UNKNOWN: Ask = { on: 'unknown' };

/** Undefined: it decides nothing about a packet. */
function ruleOf(words: readonly string[], isChain: (name: string) => boolean): Rule | undefined {
  const asks: Ask[] = [];
  let extension = '';
  let isNot = false;
  for (let at = 0; at < words.length;) {
    const option = words[at++] ?? '';
    if (option === '!') {
      isNot = true;
      continue;
    }
    const value = words[at] ?? '';
    if (option === '-j' || option === '-g') {
      const verdict = verdictOf(value, option, isChain);
      return verdict && { asks, verdict };
    }
    while (at < words.length && !/^(?:-|!$)/.test(words[at] ?? '')) at++;
    if (option === '-m') {
      extension = value;
      if (!SILENT.has(value)) asks.push(UNKNOWN);
    } else if (option !== '--comment') asks.push(isNot ? UNKNOWN : askOf(option, value, extension));
    isNot = false;
  }
  return undefined;
}

function verdictOf(target: string, option: '-j' | '-g', isChain: (name: string) => boolean): Verdict | undefined {
  if (isChain(target)) return { kind: option === '-g' ? 'goto' : 'jump', chain: target };
  if (target === 'ACCEPT') return { kind: 'accept' };
  if (target === 'DROP' || target === 'REJECT') return { kind: 'drop' };
  if (target === 'RETURN') return { kind: 'return' };
  return target === 'DNAT' || target === 'REDIRECT' ? { kind: 'nat' } : undefined;
}

/** All bits of ours (engines/kernel/table/marks.ts). */
const OURS = /^0xe0000000\/0xe0000000$/i;

function askOf(option: string, value: string, extension: string): Ask {
  switch (option) {
    case '-p':
      return { on: 'protocol', words: [value] };
    case '-d':
      return { on: 'to', words: [value] };
    case '-i':
      return value === 'lo' ? { on: 'loopback' } : UNKNOWN;
    case '--dport':
    case '--dports': {
      const spans = value.split(',').map((span) => parsePortSpan(span.replace(':', '-')));
      return spans.every((span) => span !== undefined) ? { on: 'ports', spans } : UNKNOWN;
    }
    case '--state':
    case '--ctstate': {
      const words = value.toLowerCase().split(',');
      if (words.includes('dnat') && !words.includes('new')) return { on: 'translated' };
      return { on: 'state', words };
    }
    case '--mark':
      return extension === 'connmark' && OURS.test(value) ? { on: 'ours' } : UNKNOWN;
  }
  return UNKNOWN;
}
