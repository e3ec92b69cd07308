/** How the house is put together: no circles, small folders, doors, and names that are used. */
import { posix } from 'node:path';
import { test } from 'node:test';
import { exportedNames, importedNames } from './exports.ts';
import { circles } from './graph.ts';
import { holds } from './holds.ts';
import { exportedObjects } from './members.ts';
import { lineOf, product, sources } from './tree.ts';

test('no file imports itself by way of others, types included', () => {
  holds([...circles(product()).values()].map((way) => `${way.join(' → ')}: move what both need down`));
});

/** limit: as many as one look takes in. */
const MOST_FILES = 16;
/** Lists of one kind, whose index is the documentation. */
const LISTS = /^src\/(api\/actions\/[\w-]+|api\/models|cli\/commands|edge\/probes)$/;

test(`no folder of the product has more than ${MOST_FILES} files, lists of one kind aside`, () => {
  const folders = new Map<string, number>();
  for (const { path } of product()) folders.set(posix.dirname(path), (folders.get(posix.dirname(path)) ?? 0) + 1);
  const full = [...folders].filter(([folder, count]) => count > MOST_FILES && !LISTS.test(folder));
  holds(full.map(([folder, count]) => `${folder} has ${count} files: give what belongs together a folder`));
});

/** Folders of engines/ that are no engine's. */
const COMMON = new Set(['flow', 'hosting', 'pass-through']);
/** The files of an engine that the rest of the house may import, where that is not engine.ts. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  node: ['capabilities.ts'],
  kernel: ['create.ts', 'doctor.ts', 'occupied.ts'],
};

test("an engine's inside is imported through its doors only, types too; each door is in use", () => {
  const used = new Set<string>();
  const inside = product().flatMap(({ path, imports }) =>
    imports.flatMap((wanted) => {
      const [, engine = '', part = ''] = /^src\/engines\/(\w+)\/(.+)$/.exec(wanted.path ?? '') ?? [];
      if (engine === '' || COMMON.has(engine) || path.startsWith(`src/engines/${engine}/`)) return [];
      const doors = DOORS[engine] ?? ['engine.ts'];
      used.add(`${engine}/${part}`);
      return doors.includes(part) ? [] : [`${path} imports ${wanted.path}: its doors are ${doors.join(', ')}`];
    }),
  );
  const unused = Object.entries(DOORS).flatMap(([engine, doors]) =>
    doors
      .filter((door) => !used.has(`${engine}/${door}`))
      .map((door) => `engines/${engine}/${door} is a door for nobody`),
  );
  holds([...inside, ...unused]);
});

test('every exported name is imported somewhere', () => {
  const isImported = importedNames(sources());
  const targets = new Set(sources().flatMap(({ imports }) => imports.flatMap(({ path }) => path ?? [])));
  const unused = sources().flatMap((source) => {
    // A file of tests, benches or documents that no file imports is run, or read by the compiler alone.
    if (!source.path.startsWith('src/') && !targets.has(source.path)) return [];
    return exportedNames(source)
      .filter((name) => !isImported(source.path, name))
      .map((name) => `${source.path}: no file imports ${name}: don't export it`);
  });
  holds(unused);
});

/** limit: as much as a reader keeps in mind; an object of more is several that change for reasons of their own. */
const MOST_MEMBERS = 12;
const STATEFUL = /^src\/(engines|edge|facts|control)\//;

test(`no object with a state that files pass on has more than ${MOST_MEMBERS} members`, () => {
  const large = exportedObjects(product()).filter(
    ({ at, members, isState }) => STATEFUL.test(at) && isState && members.length > MOST_MEMBERS,
  );
  holds(
    large.map(({ at, name, members }) => `${at} ${name} has ${members.length} members: part them by what changes them`),
  );
});

/** Where numbers of the kernel are; everything else imports them. */
const KERNEL = /^src\/(linux|linux\/ebpf|engines\/uring\/ring)\/abi\.ts$/;
/** Of sockets, their options and messages: names that only the kernel's headers give. */
const KERNEL_NAME = /^(AF|SOL|SO|SOCK|IPPROTO|MSG|SHUT|SCM|BPF_MAP_TYPE|BPF_PROG_TYPE|IORING)_[A-Z0-9_]+$/;

test("each of the kernel's numbers is in one file", () => {
  const constants = product().flatMap((source) =>
    [...source.skeleton.matchAll(/\bconst (\w+|\[[^\]]*\]|\{[^}]*\})[^=;\n]*=(?!\s*\(?await\b)/g)].flatMap((match) =>
      (match[1]?.match(/[A-Z][A-Z0-9_]+/g) ?? []).map((name) => ({
        name,
        at: lineOf(source, match),
        path: source.path,
      })),
    ),
  );
  const named = new Set(constants.flatMap(({ name, path }) => (KERNEL.test(path) ? [name] : [])));
  const elsewhere = constants.filter(
    ({ name, path }) => !KERNEL.test(path) && (named.has(name) || KERNEL_NAME.test(name)),
  );
  const all = constants.filter(({ path }) => KERNEL.test(path)).map(({ name }) => name);
  holds([
    ...elsewhere.map(({ name, at }) => `${at} declares ${name}: import it from src/linux/abi.ts`),
    ...all.filter((name, i) => all.indexOf(name) !== i).map((name) => `${name} is twice in files called abi.ts`),
  ]);
});

test('what is called later is there from the start', () => {
  const late = product().flatMap((source) =>
    [...source.skeleton.matchAll(/\blet (\w+)[^=;]*= \([^)]*\)(?:: \w+)? => (?:\{\s*\}|undefined)/g)].map(
      (match) => `${lineOf(source, match)} ${match[1]} gets its meaning later: make what it calls first, and pass that`,
    ),
  );
  holds(late);
});
