/**
 * The members of the interfaces and classes that files export, those of their bases too: what one object shows everyone who
 * holds it. Not a parser: the formatter puts a member on a line of its own, two spaces in. Used by structure.test.ts.
 */
import { lineOf, type Source } from './tree.ts';

interface Exported {
  readonly at: string;
  readonly name: string;
  readonly members: readonly string[];
  /** It has a member that can change, or a method. */
  readonly isState: boolean;
}

const DECLARED = /^export (?:abstract )?(?:interface|class) (\w+)([^{]*)\{\n([\s\S]*?)^\}/gm;
const MEMBER =
  /^ {2}((?:(?:private|protected|static|abstract|override|readonly|async|get|set) )*)\*?(?!readonly |async )(\w+)[?!]?[<(:; =]/gm;

/** Of `sources`, in their order. */
export function exportedObjects(sources: readonly Source[]): Exported[] {
  const own = sources.flatMap((source) =>
    [...source.skeleton.matchAll(DECLARED)].map((match) => ({
      source,
      at: lineOf(source, match),
      name: match[1] ?? '',
      bases: new Set<string>(/\bextends ([^{]*?)(?: implements|\s*$)/.exec(match[2] ?? '')?.[1]?.match(/\w+/g)),
      members: [...(match[3] ?? '').matchAll(MEMBER)]
        .map(([, marks = '', name = '']) => ({ name, marks }))
        .filter(({ name, marks }) => !/private|protected|static/.test(marks) && name !== 'constructor'),
    })),
  );
  const all = ({ source, bases, members }: (typeof own)[number]): typeof members => {
    const files = new Set([source.path, ...source.imports.map(({ path }) => path)]);
    const known = own.filter((declared) => bases.has(declared.name) && files.has(declared.source.path));
    return [...known.flatMap(all), ...members];
  };
  return own.map((declared) => {
    const members = all(declared);
    return {
      at: declared.at,
      name: declared.name,
      members: [...new Set(members.map(({ name }) => name))],
      isState: members.some(({ marks }) => !marks.includes('readonly')),
    };
  });
}
