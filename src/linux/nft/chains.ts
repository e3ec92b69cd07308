/**
 * Chains with their rules, and maps, as netlink messages: what `nft -f` would make of their text, without a process that first
 * reads back every chain and set there is. Names and numbers as in linux/netfilter/nf_tables.h. Pure. Which text a rule
 * stands for, its caller knows (the kernel engine's compile.ts); elements are batch.ts.
 */
import { attribute, type Attribute, type Message, NLM_F, text, u32, u64 } from '../netlink/messages.ts';
import { verdict } from './batch.ts';
import { NFNL_SUBSYS_NFTABLES, NFPROTO_INET, NFT_MSG, NFTA_DATA, NFTA_LIST_ELEM } from './nf-tables.ts';

/** One step of a rule. All work on one register, but for a second that holds what a map learns. */
export type Expression = Attribute;

const NFTA_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_SET = {
  NAME: 2,
  FLAGS: 3,
  KEY_TYPE: 4,
  KEY_LEN: 5,
  DATA_TYPE: 6,
  DATA_LEN: 7,
  DESC: 9,
  ID: 10,
  USERDATA: 13,
};
const NFT_SET = { MAP: 8, TIMEOUT: 16, EVAL: 32 };
/** nft's numbers of its types. */
const TYPE = { 4: 7, 6: 8, mark: 19 } as const;
const HOST_ORDER = 1;
const NETWORK_ORDER = 2;
const REG_VERDICT = 0;
const REG_1 = 1;
const REG_2 = 2;
const META_NFPROTO = 15;
const CT_MARK = 3;
const PAYLOAD_NETWORK = 1;
const EQUAL = 0;
const UNEQUAL = 1;
const DYNSET = { update: 1, delete: 2 } as const;
/** The source address in an IP header. */
const SOURCE = { 4: { family: 2, offset: 12, length: 4 }, 6: { family: 10, offset: 8, length: 16 } } as const;

const message = (type: number, flags: number, table: string, ...attributes: Attribute[]): Message => ({
  type: (NFNL_SUBSYS_NFTABLES << 8) | type,
  flags,
  family: NFPROTO_INET,
  attributes: [attribute(NFTA_TABLE, text(table)), ...attributes],
});

/** Makes the chain, or empties it. */
export function chainMessages(table: string, chain: string): Message[] {
  return [
    message(NFT_MSG.NEWCHAIN, NLM_F.CREATE, table, attribute(NFTA_CHAIN_NAME, text(chain))),
    message(NFT_MSG.DELRULE, 0, table, attribute(NFTA_RULE_CHAIN, text(chain))),
  ];
}

export function ruleMessage(table: string, chain: string, expressions: readonly Expression[]): Message {
  const attributes = [attribute(NFTA_RULE_CHAIN, text(chain)), attribute(NFTA_RULE_EXPRESSIONS, expressions)];
  return message(NFT_MSG.NEWRULE, NLM_F.CREATE | NLM_F.APPEND, table, ...attributes);
}

export function goneMessage(table: string, what: 'chain' | 'map', name: string): Message {
  if (what === 'map') return message(NFT_MSG.DELSET, 0, table, attribute(NFTA_SET.NAME, text(name)));
  return message(NFT_MSG.DELCHAIN, 0, table, attribute(NFTA_CHAIN_NAME, text(name)));
}

/** A map that rules fill: from a client's address to a mark, for a time. `id`: unlike the others of its transaction. */
export function learnedMap(table: string, name: string, family: 4 | 6, size: number, id: number): Message {
  const numbers: readonly (readonly [number, number])[] = [
    [NFTA_SET.FLAGS, NFT_SET.MAP | NFT_SET.TIMEOUT | NFT_SET.EVAL],
    [NFTA_SET.KEY_TYPE, TYPE[family]],
    [NFTA_SET.KEY_LEN, SOURCE[family].length],
    [NFTA_SET.DATA_TYPE, TYPE.mark],
    [NFTA_SET.DATA_LEN, 4],
    [NFTA_SET.ID, id],
  ];
  return message(
    NFT_MSG.NEWSET,
    NLM_F.CREATE,
    table,
    attribute(NFTA_SET.NAME, text(name)),
    ...numbers.map(([type, number]) => attribute(type, u32(number))),
    attribute(NFTA_SET.DESC, [attribute(1, u32(size))]),
    // nft's notes to itself, so that it lists keys and data as they were meant.
    attribute(NFTA_SET.USERDATA, Uint8Array.of(0, 4, NETWORK_ORDER, 0, 0, 0, 1, 4, HOST_ORDER, 0, 0, 0)),
  );
}

const value = (bytes: Uint8Array): Attribute[] => [attribute(NFTA_DATA.VALUE, bytes)];

function hostOrder(number: number): Uint8Array {
  return Uint8Array.from(u32(number)).reverse();
}

/** Attributes by their place, from 1 on; numbers as the kernel wants them. */
function expression(name: string, ...places: readonly (number | Uint8Array | Attribute[] | undefined)[]): Expression {
  const attributes = places.flatMap((one, i) =>
    one === undefined ? [] : [attribute(i + 1, typeof one === 'number' ? u32(one) : one)],
  );
  return attribute(NFTA_LIST_ELEM, [attribute(1, text(name)), attribute(2, attributes)]);
}

/** Goes on only with a packet of the family, whose source address it takes. */
export function takeSource(family: 4 | 6): Expression[] {
  const { family: nfproto, offset, length } = SOURCE[family];
  return [
    expression('meta', REG_1, META_NFPROTO),
    expression('cmp', REG_1, EQUAL, value(Uint8Array.of(nfproto))),
    expression('payload', REG_1, PAYLOAD_NETWORK, offset, length),
  ];
}

/** Takes what a map has for it; goes on only if there is something. */
export function lookUp(map: string): Expression {
  return expression('lookup', text(map), REG_1, REG_1);
}

export function setMark(): Expression {
  return expression('ct', undefined, CT_MARK, undefined, REG_1);
}

/** Goes on only where the connection's mark has one of these bits. */
export function hasMark(mask: number): Expression[] {
  return [
    expression('ct', REG_1, CT_MARK),
    expression('bitwise', REG_1, REG_1, 4, value(hostOrder(mask)), value(hostOrder(0))),
    expression('cmp', REG_1, UNEQUAL, value(hostOrder(0))),
  ];
}

/** Has the map learn or forget the mark under what is taken. */
export function learn(how: 'update' | 'delete', map: string, seconds: number | undefined): Expression[] {
  const timeout = seconds === undefined ? undefined : u64(seconds * 1000);
  return [
    expression('ct', REG_2, CT_MARK),
    expression('dynset', text(map), undefined, DYNSET[how], REG_1, REG_2, timeout),
  ];
}

/** Takes the next count of 0…turn − 1, and `offset` more. */
export function takeCount(turn: number, offset: number): Expression {
  const increments = 0;
  return expression('numgen', REG_1, turn, increments, offset);
}

export function jump(chain: string): Expression {
  return expression('immediate', REG_VERDICT, verdict(`jump ${chain}`));
}
