/** The form of a file: its size, its first paragraph, its name, what it must not contain. */
import { test } from 'node:test';
import { holds } from './holds.ts';
import { files, lineOf, product, sources } from './tree.ts';

/** limit: more does not fit a reader's mind, nor a review. */
const MOST_LINES = 400;
const MEDIAN_LINES = 90;

/** A comment of more than a word before anything else. */
const OPENING = /^(?:#!.*\n)?\/(?:\*\*|\/)\s*(?:\* )?\S+ \S+/;

const lines = (text: string): number => text.split('\n').length - 1;
const code = files().filter(({ path }) => /\.(ts|js|sh)$/.test(path));

test(`no file has more than ${MOST_LINES} lines`, () => {
  const long = code.filter(({ text }) => lines(text) > MOST_LINES);
  holds(long.map(({ path, text }) => `${path} has ${lines(text)} lines: split it along what changes together`));
});

test(`half of the product's files have at most ${MEDIAN_LINES} lines`, () => {
  const sizes = product()
    .map(({ text }) => lines(text))
    .sort((a, b) => a - b);
  const median = sizes[sizes.length >> 1] ?? 0;
  holds(median > MEDIAN_LINES ? [`the median is ${median} lines: split the biggest files`] : []);
});

test('every file of the product opens with a paragraph about itself', () => {
  // An action's paragraph is its summary.
  const silent = product().filter(({ path, text }) => !path.startsWith('src/api/actions/') && !OPENING.test(text));
  holds(silent.map(({ path }) => `${path}: open it with what it is, what it refuses to do, who calls it`));
});

test('nothing is exported by default', () => {
  const found = sources().flatMap((source) =>
    [...source.skeleton.matchAll(/\bexport\s+default\b|\bas default\b/g)].map(
      (match) => `${lineOf(source, match)}: give it a name; a name can be searched for`,
    ),
  );
  holds(found);
});

test('no file only passes exports on', () => {
  const passing = /^import\b|^export\s+(type\s+)?(\*|\{[^}]*\}$|\{[\s\S]*\bfrom\b)/;
  const barrels = product().filter(({ skeleton }) => {
    const statements = skeleton
      .split(';')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    return statements.some((part) => part.startsWith('export')) && statements.every((part) => passing.test(part));
  });
  holds(barrels.map(({ path }) => `${path} only passes names on: import from the file that has them`));
});

test('names are kebab-case; an action or a model carries its name in the cloud', () => {
  const odd = sources().filter(({ path }) => {
    const name = path.split('/').at(-1) ?? '';
    const ofTheCloud = /^src\/api\/(actions|models)\//.test(path) && /^[A-Z][A-Za-z0-9]*(\.test)?\.ts$/.test(name);
    return !ofTheCloud && !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.ts$/.test(name);
  });
  holds(odd.map(({ path }) => `${path}: rename it to kebab-case`));
});

test('nothing is called Manager, Helper or Util', () => {
  const vague = sources().flatMap((source) => {
    const named = /(manager|helper|utils?)\b/i.test(source.path) ? [`${source.path}: name it after what it does`] : [];
    const declared = source.skeleton.matchAll(
      /\b(?:class|interface|type|function|const)\s+(\w*(?:Manager|Helper|Utils?))\b/g,
    );
    return [...named, ...[...declared].map((match) => `${lineOf(source, match)} ${match[1]}: say what it does`)];
  });
  holds(vague);
});

test('no test is left alone or out without a reason', () => {
  const left =
    /\.only\(|\b(?:test|it|describe|suite)\.(?:skip|todo)\(|\bt\.(?:skip|todo)\(\s*\)|\b(?:only|todo|skip): true\b/g;
  const found = sources().flatMap((source) =>
    [...source.skeleton.matchAll(left)].map(
      (match) => `${lineOf(source, match)} ${match[0]}: run it, or skip it by a condition and say why`,
    ),
  );
  holds(found);
});

// not: this file, which has to say the words it looks for.
const others = files().filter(({ path }) => path !== 'test/house/files.test.ts');

test('nothing unfinished is left in the tree', () => {
  const mark = /\b(TODO|FIXME|XXX)\b/;
  const found = others.filter(({ text }) => mark.test(text));
  holds(found.map(({ path, text }) => `${path}: finish it or file an issue (${mark.exec(text)?.[0]})`));
});

test("no file names a path of somebody's machine", () => {
  const place = /(?<![\w.])\/(work|root|Users\/\w+|home\/(?!edgefour\b)\w+)\//;
  const found = others.filter(({ text }) => place.test(text));
  holds(found.map(({ path, text }) => `${path}: make it relative (${place.exec(text)?.[0]})`));
});
