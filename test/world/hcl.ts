/**
 * Reads as much of Terraform's language as examples/terraform/main.tf has: resources and variables with attributes and blocks
 * inside, two spaces a level. For the test of that example; terraform itself is on no machine of ours.
 */
import assert from 'node:assert/strict';

interface Block {
  /** Expressions, as they are written. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly blocks: readonly { readonly name: string; readonly block: Block }[];
}

interface Named extends Block {
  /** `resource`, `variable` … */
  readonly kind: string;
  /** `tencentcloud_teo_l4_proxy.first`, `origin`. */
  readonly name: string;
}

export function readHcl(text: string): readonly Named[] {
  const found = [...text.matchAll(/^(\w+)((?: "[\w-]+")*) \{\n([\s\S]*?)^\}$/gm)];
  return found.map(([, kind = '', labels = '', inside = '']) => {
    const name = [...labels.matchAll(/"([\w-]+)"/g)].map(([, label]) => label).join('.');
    return { kind, name, ...readBlock(inside, '  ') };
  });
}

function readBlock(text: string, indent: string): Block {
  const inner = new RegExp(`^${indent}(\\w+) \\{\\n([\\s\\S]*?)^${indent}\\}$`, 'gm');
  const blocks = [...text.matchAll(inner)].map(([, name = '', inside = '']) => ({
    name,
    block: readBlock(inside, `${indent}  `),
  }));
  const attributes = [...text.replace(inner, '').matchAll(new RegExp(`^${indent}(\\w+) += (.+)$`, 'gm'))];
  return { attributes: new Map(attributes.map(([, name = '', value = '']) => [name, value])), blocks };
}

/** What an expression is; `known` gives what names stand for, `tencentcloud_teo_l4_proxy.first.proxy_id` or `var.origin.port`. */
export function evaluate(expression: string, known: (name: string) => unknown): unknown {
  const [, list] = /^\[(.*)\]$/.exec(expression) ?? [];
  if (list !== undefined) return list === '' ? [] : [evaluate(list, known)];
  const [, id] = /^split\("#", ([\w.]+)\.id\)\[1\]$/.exec(expression) ?? [];
  if (id !== undefined) return String(known(`${id}.id`)).split('#')[1];
  const [, text] = /^tostring\((.+)\)$/.exec(expression) ?? [];
  if (text !== undefined) return String(evaluate(text, known));
  if (/^["\d]/.test(expression)) return JSON.parse(expression) as unknown;
  assert.match(expression, /^[\w.]+$/, 'main.tf has an expression that the test cannot read');
  return known(expression);
}
