/**
 * What a table that is already there holds: the rules of an engine before this one, which go on working meanwhile. Read
 * back into pieces, so that the first change of each is a difference like any other. Called once, at the start.
 */
import type { Netlink } from '../../../linux/netlink/socket.ts';
import { getElements, getNames, readElements, readName } from '../../../linux/nft/elements.ts';
import { OWNER_CHAIN } from '../../../linux/nft/whole-tables.ts';
import { indexOf, indexOfRotation, MOST_SLOTS } from './marks.ts';
import type { Element } from './sets.ts';
import type { KernelRule, RuleSet } from '../rules.ts';
import { settingsNamed } from './settings.ts';
import { GUARD_CHAIN, LAYOUT, SETS, type SetName } from './sets.ts';

type Asking = Pick<Netlink, 'dump'>;

interface Found {
  readonly isThere: boolean;
  /** Chains of settings, as this edition writes them. */
  readonly settings: readonly string[];
  readonly isGuarded: boolean;
  /** Whose table it is: ids. */
  readonly owners: readonly string[];
}

/** Adds the table's rules to an empty registry, and tells what else is there. */
export function readBack(asking: Asking, registry: RuleSet): Found {
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
  const own = { chains: ownNames(chains), maps: ownNames(namesOf('SET', asking)) };
  for (const [id, pages] of Map.groupBy([...byIndex].map(readPage), ({ id }) => id)) {
    const inOrder = pages.toSorted((a, b) => a.page - b.page);
    const indices = inOrder.map(({ index }) => index);
    const rule = registry.inherit(id, inOrder[0]?.proxy ?? '', indices);
    inherit(
      rule,
      inOrder.flatMap(({ elements }) => elements),
      own,
    );
  }
  const settings = chains.filter((name) => settingsNamed(name) !== undefined);
  const owners = chains.flatMap((name) => (name.startsWith(OWNER_CHAIN) ? [name.slice(OWNER_CHAIN.length)] : []));
  return { isThere, settings, isGuarded: chains.includes(GUARD_CHAIN), owners };
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
  // Remains without a name, which only a foreign hand can have left, get one that no rule has.
  return { id: id || `unnamed ${index}`, proxy, page: Number(page), index, elements };
}

/** The mark of a rule is an element's key, or what an entry leads to; of a turn, the key is told by the index itself. */
function indexIn({ set, key, data }: Element): number {
  if (set === 'turns4' || set === 'turns6') return indexOfRotation(Number(key));
  return indexOf(Number(/^(?:entry|span)/.test(set) ? data : key.split(' ')[0]));
}

/** Names of chains or maps that rules have for themselves, by the rule's index. */
type OwnNames = ReadonlyMap<number, readonly string[]>;

function ownNames(names: readonly string[]): OwnNames {
  const ofRule = (name: string): number => Number(/^(?:turn|kept)-(\d+)-[46]$/.exec(name)?.[1]);
  return Map.groupBy(names, ofRule);
}

interface Own {
  readonly chains: OwnNames;
  readonly maps: OwnNames;
}

function inherit(rule: KernelRule, elements: readonly Element[], own: Own): void {
  rule.pieces = {
    elements: new Map(elements.map((element) => [`${element.set} ${element.key}`, element])),
    // What a chain does is not read back: its rule writes it anew, which disturbs nobody.
    chains: new Map((own.chains.get(rule.index) ?? []).map((name) => [name, []])),
    maps: new Map((own.maps.get(rule.index) ?? []).map((name) => [name, ''])),
  };
  const indices = [...rule.rows.keys()];
  for (const { set, key, data } of elements) {
    if (set === 'settings') rule.settings = settingsNamed(data.slice('jump '.length));
    const slot = Number(key) & MOST_SLOTS;
    const target = /^(?:to|host)/.test(set) ? data.split(' ')[0] : undefined;
    const before = MOST_SLOTS * indices.indexOf(indexOf(Number(key)));
    if (target !== undefined && slot > 0) rule.slots.set(target, before + slot);
  }
  rule.isUp = elements.some(({ set }) => set === 'settings');
  rule.mustJudge = true;
}

function namesOf(what: 'CHAIN' | 'SET', asking: Asking): string[] {
  const names: string[] = [];
  asking.dump(getNames(LAYOUT, what), (view, body, end) => {
    const name = readName(LAYOUT, what, view, body, end);
    if (name !== undefined) names.push(name);
  });
  return names;
}
