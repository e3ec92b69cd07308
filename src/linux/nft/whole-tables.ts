/**
 * Whole tables of the family inet, over netlink: lists them, reads their owners, deletes one. A table's owner is
 * the name of a chain in it without a rule, because a chain can be changed where a table's comment can't; a table without such
 * a chain (0.1.0 made none) says by its comment whose it is. A table of the kind that the kernel removes with the
 * process that made it (NFT_TABLE_F_OWNER) shows that its process lives. Asks, and judges nothing.
 */
import type { Netlink } from '../netlink/socket.ts';
import { attribute, eachAttribute, type Message, NLM_F, text, u32 } from '../netlink/messages.ts';
import { getNames, getTable, readName, readOwner, readText } from './elements.ts';
import { NFNL_SUBSYS_NFTABLES, NFPROTO_INET, NFT_MSG } from './nf-tables.ts';

const NFTA_TABLE = { NAME: 1, FLAGS: 2 } as const;
const NFT_TABLE_F_OWNER = 2;

interface TableFound {
  readonly name: string;
  readonly comment: string;
}

type Asking = Pick<Netlink, 'dump' | 'get' | 'transact'>;

export const OWNER_CHAIN = 'owner-';

export function isTable(asking: Asking, name: string): boolean {
  return asking.get(getTable({ name }), () => {}) === 0;
}

export function listTables(asking: Asking): TableFound[] {
  const found: TableFound[] = [];
  asking.dump(message(NFT_MSG.GETTABLE, 0, []), (view, body, end) => {
    let name = '';
    eachAttribute(view, body, end, (type, at, to) => {
      if (type === NFTA_TABLE.NAME) name = readText(view, at, to);
    });
    found.push({ name, comment: readOwner(view, body, end) });
  });
  return found;
}

/** Ids, as the table's chains name them. */
export function ownersOf(asking: Asking, name: string): string[] {
  const owners: string[] = [];
  asking.dump(getNames({ name }, 'CHAIN'), (view, body, end) => {
    const chain = readName({ name }, 'CHAIN', view, body, end);
    if (chain?.startsWith(OWNER_CHAIN)) owners.push(chain.slice(OWNER_CHAIN.length));
  });
  return owners;
}

/** With all that is in it. Gives 0, or minus the errno. */
export function deleteTable(asking: Asking, name: string): number {
  return asking.transact(NFNL_SUBSYS_NFTABLES, [
    message(NFT_MSG.DELTABLE, 0, [attribute(NFTA_TABLE.NAME, text(name))]),
  ]);
}

/** An empty table that goes when the socket is closed, however its process ends. Gives 0, or minus the errno. */
export function makeLivingTable(asking: Asking, name: string): number {
  const attributes = [attribute(NFTA_TABLE.NAME, text(name)), attribute(NFTA_TABLE.FLAGS, u32(NFT_TABLE_F_OWNER))];
  return asking.transact(NFNL_SUBSYS_NFTABLES, [message(NFT_MSG.NEWTABLE, NLM_F.CREATE | NLM_F.EXCL, attributes)]);
}

function message(type: number, flags: number, attributes: Message['attributes']): Message {
  return { type: (NFNL_SUBSYS_NFTABLES << 8) | type, flags, family: NFPROTO_INET, attributes };
}
