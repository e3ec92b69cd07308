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
import type { Statement } from '../../../linux/nft/transaction.ts';
import { KERNEL_TABLE } from '../../table-owner.ts';
import { LAYOUT, type SetName } from './sets.ts';

/** `undefined`: only nft can write one of them. */
export function messagesOf(statements: readonly Statement<SetName>[]): Message[] | undefined {
  const all: Message[] = [];
  for (const [i, one] of statements.entries()) {
    const messages = messagesOfOne(one, i + 1);
    if (!messages) return undefined;
    all.push(...messages);
  }
  return all;
}

/** `id`: its own within the transaction. */
function messagesOfOne(one: Statement<SetName>, id: number): Message[] | undefined {
  if (typeof one === 'string') return undefined;
  if ('verb' in one) return elementMessages(LAYOUT, [one]);
  if ('map' in one)
    return one.spec === undefined ? [goneMessage(KERNEL_TABLE, 'map', one.map)] : madeMap(one.map, one.spec, id);
  if (one.lines === undefined) return [goneMessage(KERNEL_TABLE, 'chain', one.chain)];
  const messages = chainMessages(KERNEL_TABLE, one.chain);
  for (const line of one.lines) {
    const expressions = compile(line);
    if (!expressions) return undefined;
    messages.push(ruleMessage(KERNEL_TABLE, one.chain, expressions));
  }
  return messages;
}

function madeMap(name: string, spec: string, id: number): Message[] | undefined {
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
