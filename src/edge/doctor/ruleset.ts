/**
 * The firewall of this machine as `nft -j list ruleset` tells it (rules of iptables-nft too), read into what matters for a
 * packet: which chains see it, what each rule asks of it, and its verdict. A condition that is not understood is
 * kept as one that may or may not hold. Pure; never throws, whatever the text.
 */
import { parsePortSpan, type PortSpan } from '../../lib/net/ports.ts';

export interface Chain {
  readonly table: string;
  readonly name: string;
  /** Only of base chains. */
  readonly hook?: { readonly name: string; readonly type: string; readonly priority: number; readonly drops: boolean };
  readonly rules: readonly Rule[];
}

export interface Rule {
  readonly asks: readonly Ask[];
  readonly verdict: Verdict;
}

export type Verdict =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'nat' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

/** `unknown`: may hold or not. */
export type Ask =
  | { readonly on: 'ports'; readonly spans: readonly PortSpan[] }
  | { readonly on: 'protocol' | 'state' | 'to'; readonly words: readonly string[] }
  | { readonly on: 'loopback' | 'ours' | 'translated' | 'unknown' };

type Json = Readonly<Record<string, unknown>>;

/** By `<family> <table> <chain>`. */
export function readRuleset(text: string): ReadonlyMap<string, Chain> {
  const chains = new Map<string, Chain & { rules: Rule[] }>();
  for (const { chain, rule } of listOf(text)) {
    if (isJson(chain)) {
      const hook = typeof chain['hook'] === 'string' && {
        name: chain['hook'],
        type: wordOf(chain['type']),
        priority: Number(chain['prio']),
        drops: chain['policy'] === 'drop',
      };
      const table = `${wordOf(chain['family'])} ${wordOf(chain['table'])}`;
      const name = wordOf(chain['name']);
      chains.set(`${table} ${name}`, { table, name, rules: [], ...(hook && { hook }) });
    } else if (isJson(rule)) {
      const key = `${wordOf(rule['family'])} ${wordOf(rule['table'])} ${wordOf(rule['chain'])}`;
      chains.get(key)?.rules.push(...rulesOf(rule['expr']));
    }
  }
  return chains;
}

function listOf(text: string): Json[] {
  try {
    const { nftables } = JSON.parse(text) as { nftables?: unknown };
    return Array.isArray(nftables) ? nftables.filter(isJson) : [];
  } catch {
    return [];
  }
}

/** What says nothing about whether the rule applies. */
const SILENT = new Set(['counter', 'log', 'mangle', 'notrack', 'comment', 'match', 'vmap']);

/** One; more where a map of verdicts stands for several. */
function rulesOf(expr: unknown): Rule[] {
  const steps = Array.isArray(expr) ? expr.filter(isJson) : [];
  const asks: Ask[] = [];
  const found: Rule[] = [];
  for (const step of steps) {
    const [word = '', value] = Object.entries(step)[0] ?? [];
    const verdict = verdictOf(word, value);
    if (verdict) return [...found, { asks, verdict }];
    if (word === 'match' && isJson(value)) asks.push(askOf(value));
    else if (word === 'vmap' && isJson(value)) found.push(...mapped(asks, value));
    else if (!SILENT.has(word)) asks.push({ on: 'unknown' });
  }
  return found;
}

function verdictOf(word: string, value: unknown): Verdict | undefined {
  if (word === 'accept' || word === 'drop' || word === 'return') return { kind: word };
  if (word === 'reject') return { kind: 'drop' };
  if (word === 'dnat' || word === 'redirect') return { kind: 'nat' };
  if ((word === 'jump' || word === 'goto') && isJson(value)) return { kind: word, chain: wordOf(value['target']) };
  return undefined;
}

function mapped(asks: readonly Ask[], { key, data }: Json): Rule[] {
  const pairs: unknown = isJson(data) ? data['set'] : undefined;
  if (!Array.isArray(pairs)) return [];
  return pairs.flatMap((pair: unknown): Rule[] => {
    const [right, result]: unknown[] = Array.isArray(pair) ? pair : [];
    const [word = '', value] = isJson(result) ? (Object.entries(result)[0] ?? []) : [];
    const verdict = verdictOf(word, value);
    return verdict ? [{ asks: [...asks, askOf({ op: '==', left: key, right })], verdict }] : [];
  });
}

const UNKNOWN: Ask = { on: 'unknown' };

function askOf({ op, left, right }: Json): Ask {
  if ((op !== '==' && op !== 'in') || !isJson(left)) return UNKNOWN;
  const [word = '', value] = Object.entries(left)[0] ?? [];
  if (word === '&' && Array.isArray(value)) return isMark(value, right) ? { on: 'ours' } : UNKNOWN;
  if (!isJson(value)) return UNKNOWN;
  const key = wordOf(value['key']);
  const field = wordOf(value['field']);
  if (word === 'ct' && key === 'mark') return wordsIn(right)?.join() === OURS_PREFIX ? { on: 'ours' } : UNKNOWN;
  if (word === 'ct' && key === 'state') return wordsOn('state', right);
  if (word === 'ct' && key === 'status') return wordsIn(right)?.includes('dnat') ? { on: 'translated' } : UNKNOWN;
  if (word === 'meta' && (key === 'iif' || key === 'iifname')) return right === 'lo' ? { on: 'loopback' } : UNKNOWN;
  if (word === 'meta' && key === 'l4proto') return wordsOn('protocol', right);
  if (word === 'payload' && field === 'protocol') return wordsOn('protocol', right);
  if (word === 'payload' && field === 'daddr') return wordsOn('to', right);
  if (word === 'payload' && field === 'dport') {
    const spans = wordsIn(right)?.map((port) => parsePortSpan(port)) ?? [undefined];
    return spans.every((span) => span !== undefined) ? { on: 'ports', spans } : UNKNOWN;
  }
  return UNKNOWN;
}

/** All bits of ours (engines/kernel/table/marks.ts), and how nft writes a mask of leading bits. */
const OURS = 0xe000_0000;
const OURS_PREFIX = `${OURS}/3`;

function isMark([left, mask]: readonly unknown[], right: unknown): boolean {
  const key = isJson(left) && isJson(left['ct']) ? left['ct']['key'] : undefined;
  return key === 'mark' && mask === OURS && right === OURS;
}

function wordsOn(on: 'protocol' | 'state' | 'to', right: unknown): Ask {
  const words = wordsIn(right);
  return words ? { on, words } : UNKNOWN;
}

/** Of a value, a list, a set; ranges as `1-2`, networks as `10.0.0.0/8`. `undefined`: there is something else in it. */
function wordsIn(right: unknown): string[] | undefined {
  if (typeof right === 'string') return right.startsWith('@') ? undefined : [right];
  if (typeof right === 'number') return [String(right)];
  if (Array.isArray(right)) {
    const all = right.map((one: unknown) => wordsIn(one));
    return all.every((one) => one !== undefined) ? all.flat() : undefined;
  }
  if (!isJson(right)) return undefined;
  const { set, range, prefix } = right;
  if (set !== undefined) return wordsIn(set);
  if (Array.isArray(range)) return [range.map(String).join('-')];
  if (isJson(prefix)) return [`${String(prefix['addr'])}/${Number(prefix['len'])}`];
  return undefined;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
