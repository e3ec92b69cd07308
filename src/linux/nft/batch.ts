/**
 * Elements that come and go, as one netlink transaction: the same that `nft -f` would make of them, without a process and
 * a parser in between, because most changes of rules are such. Pure. Other changes go through nft.
 */
import { attribute, type Attribute, type Message, NLM_F, text, u32, u64 } from '../netlink/messages.ts';
import {
  type Format,
  NFNL_SUBSYS_NFTABLES,
  NFPROTO_INET,
  NFT_MSG,
  NFTA_DATA,
  NFTA_LIST_ELEM,
  NFTA_SET_ELEM,
  NFTA_SET_ELEM_LIST,
  NFTA_VERDICT,
  type Part,
  type Table,
  UDATA_COMMENT,
  VERDICT_CODES,
  writeParts,
} from './nf-tables.ts';
import type { Element, ElementChange } from './transaction.ts';

/** limit: an attribute's length has 16 bits; the biggest element is under 300 bytes. */
const ELEMENTS_PER_MESSAGE = 200;

export function elementMessages<Set extends string>(
  table: Table<Set>,
  changes: readonly ElementChange<Set>[],
): Message[] {
  return changes.flatMap(({ verb, set, elements }) => {
    const messages: Message[] = [];
    for (let first = 0; first < elements.length; first += ELEMENTS_PER_MESSAGE)
      messages.push(message(table, verb, set, elements.slice(first, first + ELEMENTS_PER_MESSAGE)));
    return messages;
  });
}

/** Asks for these elements of one set. */
export function elementRequest<Set extends string>(table: Table<Set>, set: Set, elements: readonly Element[]): Message {
  return { ...message(table, 'delete', set, elements), type: (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG.GETSETELEM };
}

function message<Set extends string>(
  table: Table<Set>,
  verb: ElementChange['verb'],
  set: Set,
  elements: readonly Element[],
): Message {
  const isAdd = verb === 'add';
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | (isAdd ? NFT_MSG.NEWSETELEM : NFT_MSG.DELSETELEM),
    flags: isAdd ? NLM_F.CREATE : 0,
    family: NFPROTO_INET,
    attributes: [
      attribute(NFTA_SET_ELEM_LIST.TABLE, text(table.name)),
      attribute(NFTA_SET_ELEM_LIST.SET, text(set)),
      attribute(
        NFTA_SET_ELEM_LIST.ELEMENTS,
        elements.map((element) => attribute(NFTA_LIST_ELEM, elementAttributes(element, table.formats[set], isAdd))),
      ),
    ],
  };
}

function elementAttributes({ key, data, comment, timeoutMs }: Element, format: Format, isAdd: boolean): Attribute[] {
  const [, head = '', from = '', to = ''] = /^(.* )(\d+)-(\d+)$/.exec(key) ?? [];
  const isRange = to !== '';
  const attributes = [attribute(NFTA_SET_ELEM.KEY, value(format.key, isRange ? head + from : key))];
  if (isRange) attributes.push(attribute(NFTA_SET_ELEM.KEY_END, value(format.key, head + to)));
  if (!isAdd) return attributes;
  if (data !== '')
    attributes.push(
      attribute(NFTA_SET_ELEM.DATA, format.data[0] === 'verdict' ? verdict(data) : value(format.data, data)),
    );
  if (timeoutMs !== undefined) attributes.push(attribute(NFTA_SET_ELEM.TIMEOUT, u64(timeoutMs)));
  if (comment !== undefined) attributes.push(attribute(NFTA_SET_ELEM.USERDATA, commentBytes(comment)));
  return attributes;
}

function value(parts: readonly Part[], text: string): Attribute[] {
  return [attribute(NFTA_DATA.VALUE, writeParts(parts, text))];
}

/** `jump NAME` or `goto NAME`. */
export function verdict(data: string): Attribute[] {
  const [verb, chain = ''] = data.split(' ');
  const code = VERDICT_CODES[verb as keyof typeof VERDICT_CODES];
  const parts = [attribute(NFTA_VERDICT.CODE, u32(code >>> 0)), attribute(NFTA_VERDICT.CHAIN, text(chain))];
  return [attribute(NFTA_DATA.VERDICT, parts)];
}

function commentBytes(comment: string): Uint8Array {
  const bytes = text(comment);
  return Uint8Array.of(UDATA_COMMENT, bytes.length, ...bytes);
}
