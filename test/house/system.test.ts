/** Time, randomness, the environment and SQL each stand behind one file or folder. */
import { test } from 'node:test';
import { isUnder } from './floors.ts';
import { holds } from './holds.ts';
import { lineOf, product, type Source } from './tree.ts';

interface Rule {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files and folders that may. */
  readonly only: readonly string[];
  readonly instead: string;
  /** Look into strings too. */
  readonly strings?: true;
}

const RULES: readonly Rule[] = [
  {
    what: 'the wall clock',
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bprocess\.hrtime\b/g,
    only: ['src/lib/clock.ts', 'src/engines/uring'],
    instead: 'take a Clock (src/lib/clock.ts)',
  },
  {
    what: 'timers',
    pattern:
      /(?<![.\w])set(Timeout|Interval)\(|\bimport \{(?! setImmediate \})[^}]*\} from 'node:timers|\bAbortSignal\.timeout\b/g,
    only: ['src/lib/clock.ts', 'src/engines/uring'],
    instead: 'take a Clock and use after, every or sleep',
    strings: true,
  },
  {
    what: 'randomness',
    pattern: /\bMath\.random\b|\brandom(Bytes|UUID|Int|FillSync)\b|\bgetRandomValues\b/g,
    only: ['src/lib/rng.ts'],
    instead: 'take an Rng (src/lib/rng.ts)',
  },
  {
    what: 'the environment',
    pattern: /\bprocess\.env\b|\benv\b[^;]*\bfrom 'node:process'/g,
    only: ['src/config'],
    instead: 'add a setting to src/config/settings.ts and take its value as an argument',
  },
  {
    what: 'SQL',
    pattern: /\bnode:sqlite\b|\b(SELECT\s.+\sFROM|INSERT INTO|DELETE FROM|CREATE (TABLE|INDEX)|PRAGMA)\b/g,
    only: ['src/store/sqlite'],
    instead: 'ask the Store (src/store/store.ts)',
    strings: true,
  },
];

function found(source: Source, rule: Rule): string[] {
  if (rule.only.some((place) => source.path === place || isUnder(source.path, place))) return [];
  const text = rule.strings ? source.code : source.skeleton;
  return [...text.matchAll(rule.pattern)].map(
    (match) => `${lineOf(source, match)} uses ${rule.what} (${match[0]}): ${rule.instead}`,
  );
}

for (const rule of RULES) {
  test(`${rule.what} only in ${rule.only.join(', ')}`, () => holds(product().flatMap((source) => found(source, rule))));
}
