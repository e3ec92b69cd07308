/** Documents stay true: links resolve, commands and scripts exist, versions are pinned and noted. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import manifest from '../../package.json' with { type: 'json' };
import { holds } from './holds.ts';
import { type File, files, ROOT } from './tree.ts';

const documents = files().filter(({ path }) => path.endsWith('.md'));

/** Without code blocks, whose brackets are not links. */
const prose = ({ text }: File): string => text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');

/** As GitHub makes an anchor of a heading. */
function anchors({ text }: File): Set<string> {
  const headings = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)];
  const slugs = headings.map(([, heading = '']) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
  return new Set(slugs);
}

test('every link leads somewhere', () => {
  const broken = documents.flatMap((document) =>
    [...prose(document).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? document.path : posix.join(posix.dirname(document.path), file);
      if (!existsSync(join(ROOT, path))) return [`${document.path} links to ${link}: there is no ${path}`];
      const target = documents.find((other) => other.path === path);
      if (anchor === undefined || target === undefined || anchors(target).has(anchor)) return [];
      return [`${document.path} links to ${link}: ${path} has no such heading`];
    }),
  );
  holds(broken);
});

/** An item of a numbered list that leads to a source file: `3. [tcp/dial.ts](…/tcp/dial.ts) \`connect\``, then prose. */
const HOP = /^\d+\. \[[^\]]+\]\(([^)\s#]+\.ts)\)((?:(?:\s|,|and)*`[^`\n]+`)*)/gm;
/** limit: as many as a reader follows in ten minutes. */
const MOST_HOPS = 22;

/** Whether the file declares this: a function, a method, a value or a type. */
function declares(text: string, name: string): boolean {
  const word = name.replace(/[^\w$]/g, '');
  const value = String.raw`(?:function\*?|const|let|class|interface|type) ${word}\b`;
  const member = String.raw`^ +(?:(?:async|static|readonly|get|set|\*) ?)*#?${word}(?:<[^;\n]*>)?(?:\(|\??:|,$| =)(?!.*\);$)`;
  return new RegExp(`${value}|${member}`, 'm').test(text);
}

test('each hop of a list names functions of the file that it leads to', () => {
  const wrong = documents.flatMap(({ path, text }) =>
    [...text.matchAll(HOP)].flatMap(([item, link = '', names = '']) => {
      const target = posix.join(posix.dirname(path), link);
      const file = files().find((source) => source.path === target);
      if (!file) return [`${path} leads to ${target}, which is not there`];
      const its = [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
      if (its.length === 0) return [`${path}: name the function: ${item}`];
      return its.flatMap((name) =>
        declares(file.text, name.split(/[.#]/).at(-1) ?? '') ? [] : [`${path}: ${target} has no ${name}`],
      );
    }),
  );
  // By their numbers: a list may go on where another one has ended.
  const long = documents.flatMap(({ path, text }) =>
    text
      .split(/^#+ /m)
      .map((section) => ({
        title: section.split('\n', 1)[0],
        hops: Number.parseInt([...section.matchAll(HOP)].at(-1)?.[0] ?? '0'),
      }))
      .filter(({ hops }) => hops > MOST_HOPS)
      .map(({ title, hops }) => `${path}, ${title}: ${hops} hops; at most ${MOST_HOPS} are followed`),
  );
  holds([...wrong, ...long]);
});

test('each step of the tour is such a hop', () => {
  const tour = documents.find(({ path }) => path === 'docs/explanation/tour.md')?.text ?? '';
  const hops = new Set([...tour.matchAll(HOP)].map(({ index }) => index));
  const steps = [...tour.matchAll(/^\d+\. .*/gm)];
  assert.ok(steps.length > 0);
  const loose = steps.filter(({ index }) => !hops.has(index));
  holds(loose.map(([step]) => `docs/explanation/tour.md: lead to a file and name a function: ${step}`));
});

test('every document is linked from another one', () => {
  const linked = new Set(
    documents.flatMap((document) =>
      [...prose(document).matchAll(/\]\(([^)\s#]+)/g)].map(([, link = '']) =>
        posix.join(posix.dirname(document.path), link).replace(/\/$/, '/README.md'),
      ),
    ),
  );
  // Shown by GitHub itself, or linked from the generated list of actions.
  const shown = /^(README|CHANGELOG|CONTRIBUTING|OUT-OF-SCOPE)\.md$|^docs\/reference\/api\/\w+\.md$/;
  const lost = documents.filter(({ path }) => !linked.has(path) && !shown.test(path));
  holds(lost.map(({ path }) => `${path} is linked from nowhere: add it to README.md or to the list of its folder`));
});

test('every script and every command that documents name exists', () => {
  const scripts = new Set(Object.keys(manifest.scripts));
  const missing = documents.flatMap(({ path, text }) => {
    const ran = [...text.matchAll(/\bnpm (?:run )?(start|test|(?<=run )[a-z][\w:-]*)/g)].map(([, name = '']) => name);
    const asked = [...text.matchAll(/(?:^|`|\$ |npx )edgefour ([a-z]+)\b/gm)].map(([, name = '']) => name);
    return [
      ...ran.filter((name) => !scripts.has(name)).map((name) => `${path} says npm run ${name}: package.json has none`),
      ...asked
        .filter((name) => name !== 'help' && !existsSync(join(ROOT, `src/cli/commands/${name}.ts`)))
        .map((name) => `${path} says edgefour ${name}: there is no src/cli/commands/${name}.ts`),
    ];
  });
  holds(missing);
});

test('every script of package.json is explained in CONTRIBUTING.md or README.md', () => {
  const text = documents
    .filter(({ path }) => /^(CONTRIBUTING|README)\.md$/.test(path))
    .map((file) => file.text)
    .join('');
  const named = (name: string): boolean => new RegExp(`npm (run )?${name}\\b(?![:-])`).test(text);
  const unexplained = Object.keys(manifest.scripts).filter((name) => !named(name));
  holds(unexplained.map((name) => `npm run ${name}: say what it is for in CONTRIBUTING.md`));
});

test('versions are exact, and this one is in the changelog', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
    .map(([name, version]) => `${name} ${version}: pin one version, so that every clone runs the same`);
  const changelog = documents.find(({ path }) => path === 'CHANGELOG.md')?.text ?? '';
  const noted = changelog.includes(`## ${manifest.version}`);
  holds([...loose, ...(noted ? [] : [`CHANGELOG.md has no section ## ${manifest.version}`])]);
});
