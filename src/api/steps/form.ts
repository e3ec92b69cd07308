/**
 * Query strings and form bodies: decoded into a flat map, then grown into the nested value that dotted names spell
 * (`Filters.0.Values.1`). Pure and bounded; work is linear in the input, for any indices. Used by parse.ts.
 * Source: spec section 1.4.
 */
import { BUDGETS } from '../../config/budgets.ts';
import { Fault } from '../../faults/fault.ts';
import { OverBudget } from '../over-budget.ts';

export type Form = ReadonlyMap<string, string>;

/** limit: 200 rules of 12 fields with 20 ports each are about 6,000 pairs. */
const MAX_PAIRS = BUDGETS['form-parameters'].most;
/** limit: the deepest structure of the API has 6 levels. */
const MAX_DEPTH = 12;

/** Where a name comes twice, the last one counts. */
export function decodeForm(text: string): Form {
  const form = new Map<string, string>();
  if (text === '') return form;
  const pairs = text.split('&', MAX_PAIRS + 1);
  if (pairs.length > MAX_PAIRS) throw new OverBudget('form-parameters');
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    if (name !== '') form.set(decode(name), at < 0 ? '' : decode(pair.slice(at + 1)));
  }
  return form;
}

function decode(text: string): string {
  // limit: most names and values are plain, and a form may have thousands.
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new Fault('InvalidParameter', 'The parameters are not valid percent-encoded UTF-8.');
  }
}

interface Branch {
  /** Absent in a leaf: a form may have thousands. */
  children?: Map<string, Branch>;
  text?: string;
}

/** Leaves stay text. Lists are spelled by indices from 0 without gaps. */
export function nest(pairs: Iterable<readonly [name: string, value: string]>): Record<string, unknown> {
  const root: Branch = {};
  for (const [name, value] of pairs) {
    const parts = name.split('.', MAX_DEPTH + 1);
    if (parts.length > MAX_DEPTH) throw new Fault('InvalidParameter', `A parameter is nested over ${MAX_DEPTH} deep.`);
    let branch = root;
    for (const part of parts) {
      const children: Map<string, Branch> = (branch.children ??= new Map());
      let child = children.get(part);
      if (!child) children.set(part, (child = {}));
      branch = child;
    }
    branch.text = value;
  }
  return object(root.children ?? new Map(), '');
}

function grow(branch: Branch, path: string): unknown {
  const { children, text } = branch;
  if (children === undefined) return text;
  if (text !== undefined) throw new Fault('InvalidParameter', undefined, { parameter: path });
  return /^\d+$/.test(children.keys().next().value ?? '') ? list(children, path) : object(children, path);
}

function list(children: ReadonlyMap<string, Branch>, path: string): unknown[] {
  return Array.from({ length: children.size }, (_, index) => {
    const child = children.get(String(index));
    // A gap, or an index such as 999999999: nothing is allocated for it.
    if (!child) throw new Fault('InvalidParameter', undefined, { parameter: `${path}.${index}` });
    return grow(child, `${path}.${index}`);
  });
}

function object(children: ReadonlyMap<string, Branch>, path: string): Record<string, unknown> {
  const prefix = path === '' ? '' : `${path}.`;
  return Object.fromEntries([...children].map(([name, child]) => [name, grow(child, prefix + name)]));
}
