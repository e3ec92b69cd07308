/** Imports go down the floors, and each tightening of ARCHITECTURE.md holds. */
import { test } from 'node:test';
import { FLOORS, floorOf, isUnder, roomOf } from './floors.ts';
import { holds } from './holds.ts';
import { files, type Import, isTestFile, product, type Source, sources } from './tree.ts';

function imported(source: Source, broken: (wanted: Import) => string | undefined): string[] {
  return source.imports.flatMap((wanted) => {
    const why = broken(wanted);
    return why === undefined ? [] : [`${source.path} imports ${wanted.specifier}: ${why}`];
  });
}

test('every room stands on a floor', () => {
  const rooms = new Set(product().map(({ path }) => roomOf(path) ?? ''));
  holds([...rooms].filter((room) => floorOf(room) < 0).map((room) => `src/${room}: give it a floor in floors.ts`));
});

test("ARCHITECTURE.md's picture of the floors and its table of rooms are floors.ts", () => {
  const { text = '' } = files().find(({ path }) => path === 'ARCHITECTURE.md') ?? {};
  const drawn = [...text.matchAll(/^ (\d) {2}((?:\w+\/ *)+)/gm)].map(
    ([, floor, rooms = '']) => `${floor}: ${rooms.match(/\w+/g)?.sort().join(' ')}`,
  );
  const built = FLOORS.map((rooms, floor) => `${floor}: ${rooms.toSorted().join(' ')}`);
  const tabled = new Set([...text.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, room]) => room));
  holds([
    ...built.filter((floor) => !drawn.includes(floor)).map((floor) => `the picture lacks floor ${floor}`),
    ...drawn.filter((floor) => !built.includes(floor)).map((floor) => `floors.ts lacks floor ${floor}`),
    ...FLOORS.flat()
      .filter((room) => !tabled.has(room))
      .map((room) => `the table of rooms lacks ${room}/`),
  ]);
});

/** limit: a developer knows all of floor 0 by heart. */
const MOST_LINES_OF_LEAVES = 800;

test(`lib/ has fewer than ${MOST_LINES_OF_LEAVES} lines`, () => {
  const leaves = product().filter(({ path }) => roomOf(path) === 'lib');
  const lines = leaves.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
  holds(lines < MOST_LINES_OF_LEAVES ? [] : [`lib/ has ${lines} lines: move what one room alone uses to that room`]);
});

test('a room imports only from floors below it', () => {
  const upward = sources().flatMap((source) =>
    imported(source, ({ path }) => {
      const from = roomOf(source.path);
      const to = path && roomOf(path);
      if (from === undefined || to === undefined || from === to || floorOf(to) < floorOf(from)) return undefined;
      return `${from} may use ${FLOORS.slice(0, floorOf(from)).flat().join(', ')}; move what both need down`;
    }),
  );
  holds(upward);
});

test('the product imports nothing from tests, docs or benches', () => {
  const outside = product().flatMap((source) =>
    imported(source, ({ path }) =>
      path !== undefined && path !== 'package.json' && (!path.startsWith('src/') || isTestFile(path))
        ? 'tests use the product, never the other way round'
        : undefined,
    ),
  );
  holds(outside);
});

test('pure rooms load nothing of node: but buffer, by way of other rooms neither', () => {
  const pure = ['src/domain', 'src/plan', 'src/engines/flow', 'src/engines/pass-through'];
  const own = product().filter(({ path }) => pure.some((folder) => isUnder(path, folder)));
  const impure = loadedBy(own).flatMap((source) =>
    imported(source, ({ specifier, types }) =>
      specifier.startsWith('node:') && specifier !== 'node:buffer' && (!types || own.includes(source))
        ? `a pure room (${pure.join(', ')}) loads this file; take what the system gives as an argument`
        : undefined,
    ),
  );
  holds(impure);
});

/** These, and every file that they import, by way of others too; types aside, which are gone at run time. */
function loadedBy(roots: readonly Source[]): Source[] {
  const all = new Map(product().map((source) => [source.path, source]));
  const loaded = new Set(roots);
  for (const { imports } of loaded)
    for (const { path, types } of imports) {
      const source = path === undefined || types ? undefined : all.get(path);
      if (source) loaded.add(source);
    }
  return [...loaded];
}

test('the command line loads control and edge only when asked', () => {
  const eager = product()
    .filter(({ path }) => isUnder(path, 'src/cli'))
    .flatMap((source) =>
      imported(source, ({ path, types, late }) =>
        path !== undefined && /^src\/(control|edge|engines)\/(?!doctor\/)/.test(path) && !types && !late
          ? 'use await import(…) inside the command, so that other commands start without it'
          : undefined,
      ),
    );
  holds(eager);
});

test('the console takes only types from the product', () => {
  const loaded = sources()
    .filter(({ path }) => isUnder(path, 'console'))
    .flatMap((source) =>
      imported(source, ({ path, types }) =>
        path !== undefined && path.startsWith('src/') && !types
          ? 'the browser must not load server code; the action list comes as JSON'
          : undefined,
      ),
    );
  holds(loaded);
});

test('packages of the product are dependencies, not development ones', async () => {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  const allowed = new Set(Object.keys(manifest.dependencies));
  const missing = product().flatMap((source) =>
    imported(source, ({ specifier, path, types }) => {
      const name = specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
      if (path !== undefined || specifier.startsWith('node:') || types || allowed.has(name)) return undefined;
      return 'it is no dependency in package.json, so an installation without development packages lacks it';
    }),
  );
  holds(missing);
});
