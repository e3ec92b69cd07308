/** How the house is put together: no circles, small folders, small functions, doors, and names that are used. */
import { spawnSync } from 'node:child_process';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { exportedNames, importedNames } from './exports.ts';
import { circles } from './graph.ts';
import { holds, holdsBut } from './holds.ts';
import { isTestFile, lineOf, product, ROOT, sources } from './tree.ts';

test('no file imports itself by way of others, types included', () => {
  const found = [...circles(product())].map(
    ([path, way]) => [path, `${way.join(' → ')}: move what both need down`] as const,
  );
  holdsBut('circles', new Map(found));
});

/** limit: as many as one look takes in. */
const MOST_FILES = 16;
/** Lists of one kind, whose index is the documentation. */
const LISTS = /^src\/(api\/actions\/[\w-]+|api\/models|cli\/commands|edge\/probes)$/;

test(`no folder of the product has more than ${MOST_FILES} files, lists of one kind aside`, () => {
  const folders = new Map<string, number>();
  for (const { path } of product()) folders.set(posix.dirname(path), (folders.get(posix.dirname(path)) ?? 0) + 1);
  const full = [...folders].filter(([folder, count]) => count > MOST_FILES && !LISTS.test(folder));
  holdsBut(
    'folders',
    new Map(
      full.map(([folder, count]) => [folder, `${folder} has ${count} files: give what belongs together a folder`]),
    ),
  );
});

/** limit: two screens. An inner function counts as lines of the outer one. */
const MOST_LINES = 120;

interface Linted {
  readonly diagnostics: readonly {
    readonly message: string;
    readonly filename: string;
    readonly labels: readonly { readonly span: { readonly line: number } }[];
  }[];
}

test(`no function of the product has more than ${MOST_LINES} lines`, () => {
  const { stdout } = spawnSync(
    join(ROOT, 'node_modules', '.bin', 'oxlint'),
    ['-c', join('test', 'house', 'functions.oxlintrc.json'), '-f', 'json', 'src'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  const { diagnostics } = JSON.parse(stdout) as Linted;
  const long = diagnostics.flatMap(({ message, filename, labels }) => {
    const [, name = 'one without a name', lines] = /(?:`(.+)` )?has too many lines \((\d+)\)/.exec(message) ?? [];
    if (isTestFile(filename)) return [];
    const place = `${filename}:${labels[0]?.span.line}`;
    return [[`${filename} ${name}`, `${place} ${name} has ${lines} lines: make parts of it that have names`] as const];
  });
  holdsBut('functions', new Map(long));
});

/** What the rest of the house may know of an engine: itself, what it can do, whether it can run here, and what it finds there. */
const DOORS = new Set(['engine.ts', 'create.ts', 'capabilities.ts', 'probe.ts', 'doctor.ts', 'occupied.ts']);

test("an engine's inside is imported through its doors only, types too", () => {
  const inside = product().flatMap(({ path, imports }) =>
    imports.flatMap((wanted) => {
      const [, engine, part = ''] = /^src\/engines\/(node|uring|kernel)\/(.+)$/.exec(wanted.path ?? '') ?? [];
      if (engine === undefined || path.startsWith(`src/engines/${engine}/`) || DOORS.has(part)) return [];
      const doors = [...DOORS].join(', ');
      return [
        [
          `${path} ${wanted.path}`,
          `${path} imports ${wanted.path}: its doors are ${doors} of engines/${engine}`,
        ] as const,
      ];
    }),
  );
  holdsBut('doors', new Map(inside));
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
      (match) =>
        [
          `${source.path} ${match[1]}`,
          `${lineOf(source, match)} ${match[1]} gets its meaning later: make what it calls first, and pass that`,
        ] as const,
    ),
  );
  holdsBut('late', new Map(late));
});
