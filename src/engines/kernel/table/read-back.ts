/**
 * Reads back what a table that is already there holds: the rules of an engine before this one, which go on working
 * meanwhile. They come as contents.ts would make them, so that the first change of each is a difference like any other.
 * Called once, by open.ts; it writes nothing.
 */
import type { Netlink } from '../../../linux/netlink/socket.ts';
import {
  getElements,
  getNames,
  getTable,
  readElements,
  readName,
  readTableHandle,
} from '../../../linux/nft/elements.ts';
import { OWNER_CHAIN } from '../../../linux/nft/whole-tables.ts';
import type { FoundRule } from '../rules.ts';
import { indexOf, indexOfRotation, MOST_SLOTS } from './marks.ts';
import { type Element, GUARD_CHAIN, LAYOUT, SETS, type SetName } from './sets.ts';
import { type Settings, settingsNamed } from './settings.ts';

export interface Found {
  readonly isThere: boolean;
  readonly rules: readonly FoundRule[];
  /** Chains of settings, as this edition writes them. */
  readonly settings: readonly string[];
  /** The engine itself had switched forwarding on. */
  readonly isGuarded: boolean;
  /** Ids of the edges that own it. */
  readonly owners: readonly string[];
}

export function readBack(asking: Pick<Netlink, 'dump'>): Found {
  const byIndex = new Map<number, Element[]>();
  let isThere = true;
  for (const set of Object.keys(SETS) as SetName[]) {
    const code = asking.dump(getElements(LAYOUT, set), (view, body, end) =>
      readElements(LAYOUT, set, view, body, end, (element) => {
        const index = indexIn(element);
        const known = byIndex.get(index);
        if (known) known.push(element);
        else byIndex.set(index, [element]);
      }),
    );
    isThere &&= code === 0;
  }
  const chains = namesOf('CHAIN', asking);
  const own = { chains: byRule(chains), maps: byRule(namesOf('SET', asking)) };
  const rules = Map.groupBy([...byIndex].map(readPage), ({ id }) => id)
    .values()
    .map((pages) => readRule(pages, own));
  return {
    isThere,
    rules: [...rules],
    settings: chains.filter((name) => settingsNamed(name) !== undefined),
    isGuarded: chains.includes(GUARD_CHAIN),
    owners: chains.flatMap((name) => (name.startsWith(OWNER_CHAIN) ? [name.slice(OWNER_CHAIN.length)] : [])),
  };
}

/** What the kernel calls the table that is there now; 0 where there is none. */
export function tableHandle(asking: Pick<Netlink, 'get'>): number {
  let handle = 0;
  asking.get(getTable(LAYOUT), (view, body, end) => (handle = readTableHandle(view, body, end)));
  return handle;
}

/** What a rule has under one of its indices, and which of them that is. */
interface Page {
  readonly id: string;
  readonly proxy: string;
  readonly page: number;
  readonly index: number;
  readonly elements: readonly Element[];
}

function readPage([index, elements]: readonly [number, readonly Element[]]): Page {
  const label = elements.find(({ set }) => set === 'rules')?.comment ?? '';
  const [id = '', proxy = '', page = '0'] = label.split(' ');
  // Elements without a name, which only another program can have left, get one that no rule has.
  return { id: id || `unnamed ${index}`, proxy, page: Number(page), index, elements };
}

/** The mark of a rule is an element's key, or what an entry leads to; of a rotation, the key is told by the index itself. */
function indexIn({ set, key, data }: Element): number {
  if (set === 'counts4' || set === 'counts6') return indexOfRotation(Number(key));
  return indexOf(Number(/^(?:entry|span)/.test(set) ? data : key.split(' ')[0]));
}

/** Names of chains or maps that rules have for themselves, by the rule's first index. */
type OwnNames = ReadonlyMap<number, readonly string[]>;

function byRule(names: readonly string[]): OwnNames {
  return Map.groupBy(names, (name) => Number(/^(?:turn|kept)-(\d+)-[46]$/.exec(name)?.[1]));
}

function readRule(pages: readonly Page[], own: { readonly chains: OwnNames; readonly maps: OwnNames }): FoundRule {
  const inOrder = pages.toSorted((a, b) => a.page - b.page);
  const indices = inOrder.map(({ index }) => index);
  const [index = 0] = indices;
  const elements = inOrder.flatMap((page) => page.elements);
  const slots = new Map<string, number>();
  let settings: Settings | undefined;
  for (const { set, key, data } of elements) {
    if (set === 'settings') settings = settingsNamed(data.slice('jump '.length));
    const slot = Number(key) & MOST_SLOTS;
    const target = /^(?:to|host)/.test(set) ? data.split(' ')[0] : undefined;
    const before = MOST_SLOTS * indices.indexOf(indexOf(Number(key)));
    if (target !== undefined && slot > 0) slots.set(target, before + slot);
  }
  return {
    id: inOrder[0]?.id ?? '',
    proxy: inOrder[0]?.proxy ?? '',
    indices,
    slots,
    contents: {
      elements: new Map(elements.map((element) => [`${element.set} ${element.key}`, element])),
      // What a chain does is not read back: its rule writes it anew, which no connection notices.
      chains: new Map((own.chains.get(index) ?? []).map((name) => [name, []])),
      maps: new Map((own.maps.get(index) ?? []).map((name) => [name, ''])),
    },
    settings,
    isUp: elements.some(({ set }) => set === 'settings'),
  };
}

function namesOf(what: 'CHAIN' | 'SET', asking: Pick<Netlink, 'dump'>): string[] {
  const names: string[] = [];
  asking.dump(getNames(LAYOUT, what), (view, body, end) => {
    const name = readName(LAYOUT, what, view, body, end);
    if (name !== undefined) names.push(name);
  });
  return names;
}
