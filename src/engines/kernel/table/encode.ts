/**
 * Encodes statements as one netlink transaction, where all are of the kinds that a change of a rule takes: elements, and the
 * lines of a rule's own chain (contents.ts), each known by its text. It refuses any other; the caller leaves those to nft,
 * which takes longer the more chains and sets there are. Pure; called by table.ts.
 */
import type { Message } from '../../../linux/netlink/messages.ts';
import { elementMessages } from '../../../linux/nft/batch.ts';
import {
  chainMessages,
  type Expression,
  goneMessage,
  hasMark,
  jump,
  learn,
  learnedMap,
  lookUp,
  ruleMessage,
  setMark,
  takeCount,
  takeSource,
} from '../../../linux/nft/chains.ts';
import type { ElementChange, Statement } from '../../../linux/nft/transaction.ts';
import { KERNEL_TABLE } from '../../table-owner.ts';
import { type Element, LAYOUT, type SetName } from './sets.ts';

/**
 * `undefined`: only nft can write one of them. order: what is made first, then elements that go, then those that come, then
 * what goes: so statements of many rules are one list of elements for each set, which the kernel takes in big pieces.
 */
export function messagesOf(statements: readonly Statement<SetName>[]): Message[] | undefined {
  const made: Message[] = [];
  const gone: Message[] = [];
  const elements = { delete: new Map<SetName, Element[]>(), add: new Map<SetName, Element[]>() };
  for (const [i, one] of statements.entries()) {
    if (typeof one === 'string') return undefined;
    if ('verb' in one) {
      const known = elements[one.verb].get(one.set);
      if (known) for (const element of one.elements) known.push(element);
      else elements[one.verb].set(one.set, [...one.elements]);
    } else if ('map' in one ? one.spec === undefined : one.lines === undefined) gone.push(goneOf(one));
    else {
      const messages = 'map' in one ? madeMap(one, i + 1) : madeChain(one);
      if (!messages) return undefined;
      made.push(...messages);
    }
  }
  const changes = (['delete', 'add'] as const).flatMap((verb) =>
    Array.from(elements[verb], ([set, elements]) => ({ verb, set, elements })),
  );
  return [...made, ...elementMessages(LAYOUT, changes), ...gone];
}

type Made = Exclude<Statement<SetName>, string | ElementChange<SetName>>;
type Chain = Extract<Made, { readonly chain: string }>;
type LearnedMap = Exclude<Made, Chain>;

function goneOf(one: Made): Message {
  return 'map' in one ? goneMessage(KERNEL_TABLE, 'map', one.map) : goneMessage(KERNEL_TABLE, 'chain', one.chain);
}

function madeChain({ chain, lines = [] }: Chain): Message[] | undefined {
  const messages = chainMessages(KERNEL_TABLE, chain);
  for (const line of lines) {
    const expressions = compile(line);
    if (!expressions) return undefined;
    messages.push(ruleMessage(KERNEL_TABLE, chain, expressions));
  }
  return messages;
}

/** `id`: its own within the transaction. */
function madeMap({ map: name, spec = '' }: LearnedMap, id: number): Message[] | undefined {
  const [, family, size] = /^\{ type ipv([46])_addr : mark; size (\d+); flags dynamic,timeout; \}$/.exec(spec) ?? [];
  return family === undefined ? undefined : [learnedMap(KERNEL_TABLE, name, family === '6' ? 6 : 4, Number(size), id)];
}

/** A line's pattern, and what its words mean. */
type Known = readonly [RegExp, (words: readonly string[]) => Expression[]];

const familyOf = (ip: string | undefined): 4 | 6 => (ip === 'ip6' ? 6 : 4);

const KNOWN: readonly Known[] = [
  [/^jump (\S+)$/, ([chain = '']) => [jump(chain)]],
  [/^ct mark set (ip6?) saddr map @(\S+)$/, ([ip, map = '']) => [...takeSource(familyOf(ip)), lookUp(map), setMark()]],
  [
    /^(?:ct mark & (0x[0-9a-f]+) != 0 )?(update|delete) @(\S+) \{ (ip6?) saddr (?:timeout (\d+)s )?: ct mark \}$/,
    ([mask, how, map = '', ip, seconds]) => [
      ...(mask === undefined ? [] : hasMark(Number(mask))),
      ...takeSource(familyOf(ip)),
      ...learn(how === 'update' ? 'update' : 'delete', map, seconds === undefined ? undefined : Number(seconds)),
    ],
  ],
  [
    /^ct mark set numgen inc mod (\d+) offset (\d+)$/,
    ([turn, offset]) => [takeCount(Number(turn), Number(offset)), setMark()],
  ],
];

function compile(line: string): Expression[] | undefined {
  for (const [pattern, mean] of KNOWN) {
    const found = pattern.exec(line);
    if (found) return mean(found.slice(1));
  }
  return undefined;
}
