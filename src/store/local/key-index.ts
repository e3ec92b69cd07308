/**
 * The keys of a world in byte order, each with the row that holds its value: a B+ tree whose nodes know how many keys
 * are under them, so that counting a prefix and skipping to an offset cost O(log n) at any size. In memory only.
 */
import type { RowId } from './rows.ts';

/** limit: 64 keys a node keeps an insert's copying under a microsecond and 1,000,000 keys four levels deep. */
const FULL = 64;

interface Leaf {
  readonly leaf: true;
  size: number;
  keys: string[];
  ids: RowId[];
}
interface Inner {
  readonly leaf: false;
  size: number;
  /** keys[i] is at most the lowest key under kids[i]; keys[0] is ''. */
  keys: string[];
  kids: Node[];
}
type Node = Leaf | Inner;

const leafOf = (keys: string[], ids: RowId[]): Leaf => ({ leaf: true, size: keys.length, keys, ids });

export interface Entry {
  readonly key: string;
  readonly id: RowId;
}

export class KeyIndex {
  #root: Node = leafOf([], []);

  get(key: string): RowId | undefined {
    let node = this.#root;
    while (!node.leaf) node = node.kids[kidOf(node, key)]!;
    const at = lowerBound(node.keys, key);
    return node.keys[at] === key ? node.ids[at] : undefined;
  }

  set(key: string, id: RowId): void {
    const split = put(this.#root, key, id);
    if (split === undefined) return;
    const kids = [this.#root, split.node];
    this.#root = { leaf: false, size: sizeOf(kids), keys: ['', split.first], kids };
  }

  delete(key: string): void {
    remove(this.#root, key);
    while (!this.#root.leaf && this.#root.kids.length === 1) this.#root = this.#root.kids[0]!;
    if (this.#root.size === 0) this.#root = leafOf([], []);
  }

  count(prefix: string): number {
    return rank(this.#root, afterAll(prefix)) - rank(this.#root, prefix);
  }

  /** Keys under the prefix in order, without the first `offset`, at most `limit`. */
  under(prefix: string, offset = 0, limit = Infinity): Entry[] {
    const first = rank(this.#root, prefix);
    const found: Entry[] = [];
    const take = Math.min(limit, rank(this.#root, afterAll(prefix)) - first - offset);
    if (take > 0) collect(this.#root, first + offset, take, found);
    return found;
  }
}

/** The least text above every text that begins with the prefix (which ends with `/`; `0` is the next character). */
function afterAll(prefix: string): string {
  return prefix === '' ? '\uffff' : `${prefix.slice(0, -1)}0`;
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function kidOf(node: Inner, key: string): number {
  const at = lowerBound(node.keys, key);
  return node.keys[at] === key ? at : at - 1;
}

function sizeOf(kids: readonly Node[]): number {
  return kids.reduce((sum, kid) => sum + kid.size, 0);
}

/** The node that was split off to the right, where `node` was full. */
function put(node: Node, key: string, id: RowId): { first: string; node: Node } | undefined {
  if (node.leaf) {
    const at = lowerBound(node.keys, key);
    if (node.keys[at] === key) {
      node.ids[at] = id;
      return;
    }
    node.keys.splice(at, 0, key);
    node.ids.splice(at, 0, id);
    node.size++;
    if (node.size <= FULL) return;
    const half = splitPoint(at, node.size);
    const right = leafOf(node.keys.splice(half), node.ids.splice(half));
    node.size = half;
    return { first: right.keys[0]!, node: right };
  }
  const at = kidOf(node, key);
  const before = node.kids[at]!.size;
  const split = put(node.kids[at]!, key, id);
  node.size += node.kids[at]!.size + (split?.node.size ?? 0) - before;
  if (split === undefined) return;
  node.keys.splice(at + 1, 0, split.first);
  node.kids.splice(at + 1, 0, split.node);
  if (node.kids.length <= FULL) return;
  const half = splitPoint(at + 1, node.kids.length);
  const [first, ...keys] = node.keys.splice(half) as [string, ...string[]];
  const kids = node.kids.splice(half);
  const right: Inner = { leaf: false, size: sizeOf(kids), keys: ['', ...keys], kids };
  node.size -= right.size;
  return { first, node: right };
}

/** Keys that arrive in order fill nodes to the brim instead of leaving them half empty. */
function splitPoint(inserted: number, length: number): number {
  return inserted === length - 1 ? length - 1 : length >>> 1;
}

/**
 * Whether the key was there.
 * not: merging of thin nodes. A node goes when it is empty; names come and go evenly enough to leave no thin trees.
 */
function remove(node: Node, key: string): boolean {
  if (node.leaf) {
    const at = lowerBound(node.keys, key);
    if (node.keys[at] !== key) return false;
    node.keys.splice(at, 1);
    node.ids.splice(at, 1);
    node.size--;
    return true;
  }
  const at = kidOf(node, key);
  if (!remove(node.kids[at]!, key)) return false;
  node.size--;
  if (node.kids[at]!.size > 0) return true;
  node.kids.splice(at, 1);
  node.keys.splice(at, 1);
  if (node.keys.length > 0) node.keys[0] = '';
  return true;
}

/** How many keys are below `key`. */
function rank(node: Node, key: string): number {
  let below = 0;
  let at = node;
  while (!at.leaf) {
    const kid = kidOf(at, key);
    for (let i = 0; i < kid; i++) below += at.kids[i]!.size;
    at = at.kids[kid]!;
  }
  return below + lowerBound(at.keys, key);
}

function collect(node: Node, skip: number, take: number, found: Entry[]): void {
  const end = found.length + take;
  if (node.leaf) {
    for (let i = skip; i < node.size && found.length < end; i++) found.push({ key: node.keys[i]!, id: node.ids[i]! });
    return;
  }
  let left = skip;
  for (const kid of node.kids) {
    if (found.length === end) return;
    if (left >= kid.size) left -= kid.size;
    else {
      collect(kid, left, end - found.length, found);
      left = 0;
    }
  }
}
