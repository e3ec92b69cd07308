import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';

const FOLDER = 'docs/explanation';
const START = 'src/engines/uring/worker/worker.ts';
/** limit: what house.md allows. */
const MOST = 22;

interface Hop {
  readonly file: string;
  readonly named: string;
}

const textOf = (file: string): string => readFileSync(new URL(posix.join('../../..', file), import.meta.url), 'utf8');

/** The section of the tour that lists them. */
const section =
  textOf(`${FOLDER}/tour.md`)
    .split(/^#+ /m)
    .find((text) => text.startsWith('From a received byte')) ?? '';

const hops: readonly Hop[] = [...section.matchAll(/^\d+\. \[[^\]]+\]\(([^)]+)\) `(\w+)`: /gm)].map(
  ([, link = '', named = '']) => ({ file: posix.join(FOLDER, link), named }),
);

/** All files that a file imports, types too, or that these do. */
function reach(file: string, known = new Set<string>()): ReadonlySet<string> {
  for (const [, path = ''] of textOf(file).matchAll(/from '(\.[^']+)'/g)) {
    const imported = posix.join(posix.dirname(file), path);
    if (known.has(imported)) continue;
    known.add(imported);
    reach(imported, known);
  }
  return known;
}

test('the hops of a byte are at most 22, each to a function of the file that it names', () => {
  assert.ok(hops.length > 0 && hops.length <= MOST, `${hops.length} hops`);
  const strange = hops.filter(
    ({ file, named }) => !new RegExp(`^(export )?(  )?(function |const )?${named}\\b`, 'm').test(textOf(file)),
  );
  assert.deepEqual(strange, []);
});

test('each hop goes from one file to another, by a call of what it knows or back from it', () => {
  const files = [START, ...hops.map(({ file }) => file)];
  for (const [i, to] of files.entries()) {
    const from = files[i - 1];
    if (from === undefined) continue;
    assert.notEqual(from, to, `hop ${i} stays in ${to}`);
    assert.ok(reach(from).has(to) || reach(to).has(from), `hop ${i}: ${from} and ${to} are strangers`);
  }
});
