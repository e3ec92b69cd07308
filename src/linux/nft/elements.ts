/**
 * The elements of our sets as the kernel hands them out: read back into what was written, with their counters. Pure.
 */
import { attribute, eachAttribute, type Message, text, u32 } from '../netlink/messages.ts';
import {
  type Format,
  NFNL_SUBSYS_NFTABLES,
  NFPROTO_INET,
  NFT_MSG,
  NFTA_DATA,
  NFTA_SET_ELEM,
  NFTA_SET_ELEM_LIST,
  NFTA_VERDICT,
  type Part,
  readParts,
  type Table,
  UDATA_COMMENT,
  VERDICT_CODES,
} from './nf-tables.ts';
import type { Element } from './transaction.ts';

const NFTA_GEN_ID = 1;
const NFTA_TABLE_HANDLE = 4;
const NFTA_TABLE_USERDATA = 6;
const NFTA_EXPR_DATA = 2;
const NFTA_COUNTER = { BYTES: 1, PACKETS: 2 } as const;
const NFTA_OBJ = { TABLE: 1, NAME: 2, TYPE: 3, DATA: 4 } as const;
const NFT_OBJECT_COUNTER = 1;
const NFTA_NAME = { CHAIN: 3, SET: 2 } as const;

export interface Counted {
  readonly packets: number;
  readonly bytes: number;
}

/** All elements of a set. */
export function getElements(table: Pick<Table, 'name'>, set: string): Message {
  const attributes = [
    attribute(NFTA_SET_ELEM_LIST.TABLE, text(table.name)),
    attribute(NFTA_SET_ELEM_LIST.SET, text(set)),
  ];
  return request(NFT_MSG.GETSETELEM, attributes);
}

/** Answered without an error where the table is there. */
export function getTable({ name }: Pick<Table, 'name'>): Message {
  return request(NFT_MSG.GETTABLE, [attribute(1, text(name))]);
}

/** The names of all chains, or of all sets and maps, of every table of the family; readName tells those of ours. */
export function getNames(table: Pick<Table, 'name'>, what: 'CHAIN' | 'SET'): Message {
  return request(what === 'CHAIN' ? NFT_MSG.GETCHAIN : NFT_MSG.GETSET, [attribute(1, text(table.name))]);
}

/** `undefined`: of another table. */
export function readName(
  table: Pick<Table, 'name'>,
  what: 'CHAIN' | 'SET',
  view: DataView,
  body: number,
  end: number,
): string | undefined {
  let its = '';
  let name = '';
  eachAttribute(view, body, end, (type, at, to) => {
    if (type === 1) its = readText(view, at, to);
    else if (type === NFTA_NAME[what]) name = readText(view, at, to);
  });
  return its === table.name ? name : undefined;
}

/** The comment of the table. */
export function readOwner(view: DataView, body: number, end: number): string {
  let owner = '';
  eachAttribute(view, body, end, (type, at, to) => {
    if (type === NFTA_TABLE_USERDATA) owner = readComment(view, at, to);
  });
  return owner;
}

/** The kernel's number of the table; a table that is made anew has another. */
export function readTableHandle(view: DataView, body: number, end: number): number {
  let handle = 0;
  eachAttribute(view, body, end, (type, at, to) => {
    if (type === NFTA_TABLE_HANDLE && to - at === 8) handle = Number(view.getBigUint64(at));
  });
  return handle;
}

/** The number of the ruleset: it changes with every change of any table, by any program. */
export function getGeneration(): Message {
  return request(NFT_MSG.GETGEN, []);
}

export function readGeneration(view: DataView, body: number, end: number): number {
  let generation = 0;
  eachAttribute(view, body, end, (type, at, to) => {
    if (type === NFTA_GEN_ID && to - at === 4) generation = view.getUint32(at);
  });
  return generation;
}

/** The rules of a chain, of which only how many there are is of interest. */
export function getRules({ name }: Pick<Table, 'name'>, chain: string): Message {
  return request(NFT_MSG.GETRULE, [attribute(1, text(name)), attribute(2, text(chain))]);
}

/** All named counters of the table. */
export function getCounters({ name }: Pick<Table, 'name'>): Message {
  return request(NFT_MSG.GETOBJ, [
    attribute(NFTA_OBJ.TABLE, text(name)),
    attribute(NFTA_OBJ.TYPE, u32(NFT_OBJECT_COUNTER)),
  ]);
}

/** One of them. */
export function readNamedCounter(view: DataView, body: number, end: number): Counted & { readonly name: string } {
  let name = '';
  let counted: Counted = { packets: 0, bytes: 0 };
  eachAttribute(view, body, end, (type, at, end) => {
    if (type === NFTA_OBJ.NAME) name = readText(view, at, end);
    else if (type === NFTA_OBJ.DATA) counted = readCounts(view, at, end);
  });
  return { name, ...counted };
}

function request(message: number, attributes: Message['attributes']): Message {
  return { type: (NFNL_SUBSYS_NFTABLES << 8) | message, flags: 0, family: NFPROTO_INET, attributes };
}

/** Calls back for each element of one message of the set's dump. */
export function readElements<Set extends string>(
  table: Table<Set>,
  set: Set,
  view: DataView,
  body: number,
  end: number,
  seen: (element: Element<Set>, counted: Counted) => void,
): void {
  const format = table.formats[set];
  eachAttribute(view, body, end, (type, at, to) => {
    if (type !== NFTA_SET_ELEM_LIST.ELEMENTS) return;
    eachAttribute(view, at, to, (_, at, to) => readElement(set, format, view, at, to, seen));
  });
}

function readElement<Set extends string>(
  set: Set,
  { key: keyParts, data: dataParts }: Format,
  view: DataView,
  from: number,
  to: number,
  seen: (element: Element<Set>, counted: Counted) => void,
): void {
  let key = '';
  let keyEnd = '';
  let data = '';
  let comment = '';
  let counted: Counted = { packets: 0, bytes: 0 };
  eachAttribute(view, from, to, (type, at, end) => {
    if (type === NFTA_SET_ELEM.KEY) key = readValue(view, at, end, keyParts);
    else if (type === NFTA_SET_ELEM.KEY_END) keyEnd = readValue(view, at, end, keyParts);
    else if (type === NFTA_SET_ELEM.DATA) data = readData(view, at, end, dataParts);
    else if (type === NFTA_SET_ELEM.USERDATA) comment = readComment(view, at, end);
    else if (type === NFTA_SET_ELEM.EXPR) counted = readCounter(view, at, end);
    else if (type === NFTA_SET_ELEM.EXPRESSIONS)
      eachAttribute(view, at, end, (_, at, end) => (counted = readCounter(view, at, end)));
  });
  const isRange = keyEnd !== '' && keyEnd !== key;
  const span = isRange ? `${key}-${keyEnd.slice(keyEnd.lastIndexOf(' ') + 1)}` : key;
  seen({ set, key: span, data, ...(comment !== '' && { comment }) }, counted);
}

function readData(view: DataView, from: number, to: number, parts: readonly Part[]): string {
  if (parts[0] !== 'verdict') return readValue(view, from, to, parts);
  let verdict = '';
  eachAttribute(view, from, to, (type, at, end) => {
    if (type === NFTA_DATA.VERDICT) verdict = readVerdict(view, at, end);
  });
  return verdict;
}

function readVerdict(view: DataView, from: number, to: number): string {
  let code = 0;
  let chain = '';
  eachAttribute(view, from, to, (type, at, end) => {
    if (type === NFTA_VERDICT.CODE && end - at === 4) code = view.getInt32(at);
    else if (type === NFTA_VERDICT.CHAIN) chain = readText(view, at, end);
  });
  return `${code === VERDICT_CODES.goto ? 'goto' : 'jump'} ${chain}`;
}

function readValue(view: DataView, from: number, to: number, parts: readonly Part[]): string {
  let value = '';
  eachAttribute(view, from, to, (type, at, end) => {
    if (type === NFTA_DATA.VALUE) value = readParts(parts, view, at, end);
  });
  return value;
}

function readCounter(view: DataView, from: number, to: number): Counted {
  let counted: Counted = { packets: 0, bytes: 0 };
  eachAttribute(view, from, to, (type, at, end) => {
    if (type === NFTA_EXPR_DATA) counted = readCounts(view, at, end);
  });
  return counted;
}

function readCounts(view: DataView, from: number, to: number): Counted {
  const counted = { packets: 0, bytes: 0 };
  eachAttribute(view, from, to, (type, at, end) => {
    if (end - at !== 8) return;
    if (type === NFTA_COUNTER.BYTES) counted.bytes = Number(view.getBigUint64(at));
    else if (type === NFTA_COUNTER.PACKETS) counted.packets = Number(view.getBigUint64(at));
  });
  return counted;
}

/** nft's user data: type, length, value; a comment is type 0. */
function readComment(view: DataView, from: number, to: number): string {
  for (let at = from; at + 2 <= to;) {
    const end = at + 2 + view.getUint8(at + 1);
    if (view.getUint8(at) === UDATA_COMMENT && end <= to) return readText(view, at + 2, end);
    at = end;
  }
  return '';
}

/** Names and comments are short: a letter at a time is quicker than a buffer for each. */
export function readText(view: DataView, from: number, to: number): string {
  let read = '';
  for (let at = from; at < to; at++) {
    const letter = view.getUint8(at);
    if (letter === 0) break;
    read += String.fromCharCode(letter);
  }
  return read;
}
