/**
 * The table as this engine wants it: what each rule has there, and the shared chains of settings as long as a rule uses
 * them. A table that somebody else has removed (a firewall that reloads flushes the whole ruleset) is made again.
 */
import type { Refusal } from '../../../linux/nft/nft.ts';
import { difference, type Statement, textOf } from '../../../linux/nft/transaction.ts';
import { createWriter } from '../../../linux/nft/writer.ts';
import type { Contents } from './sets.ts';
import type { KernelRule } from '../rules.ts';
import { tableText } from './render.ts';
import { addSettings, deleteSettings, type Settings, settingsName } from './settings.ts';
import { LAYOUT, type SetName, TABLE } from './sets.ts';
import { type TableOptions } from './base.ts';

interface Table {
  /** Gives the rule these pieces and settings. Refused: it has what it had. */
  change(rule: KernelRule, pieces: Contents, settings: Settings | undefined): Promise<Refusal>;
  /** Writes everything, where the table is gone. */
  restore(): Promise<Refusal>;
  /** Removes the table. */
  remove(): Promise<Refusal>;
  settled(): Promise<void>;
}

interface TableDeps {
  readonly nft: (text: string) => Promise<Refusal>;
  /** Undefined where it can't write them. */
  readonly direct: (statements: readonly Statement<SetName>[]) => Refusal | undefined;
  readonly rules: () => Iterable<KernelRule>;
  readonly isThere: () => boolean;
  /** Chains of settings that are in the table already. */
  readonly settings: readonly string[];
  readonly options: TableOptions;
}

/** limit: a chain and two time-out objects each. */
const MOST_UNUSED = 32;

export function createTable({ nft, direct, rules, isThere, settings, options }: TableDeps): Table {
  /** Whether their chain is in the table is not known; written again, it is. */
  const doubtful = new Set<string>();
  const writer = createWriter({ nft: (statements) => nft(textOf(LAYOUT, statements)), direct });
  /** Settings whose chain is in the table, and how many rules use them. */
  const uses = new Map<string, number>(settings.map((name) => [name, 0]));
  for (const rule of rules()) use(nameOf(rule.settings), 1);

  function use(name: string | undefined, by: 1 | -1): void {
    if (name !== undefined) uses.set(name, (uses.get(name) ?? 0) + by);
  }

  /** Settings that nobody uses, but for the last few: rules come and go, and most are alike. */
  function surplus(): string[] {
    const unused = [...uses].filter(([, count]) => count <= 0).map(([name]) => name);
    const surplus = unused.slice(0, Math.max(0, unused.length - MOST_UNUSED));
    for (const name of surplus) uses.delete(name);
    return surplus;
  }

  function statements(rule: KernelRule, pieces: Contents, settings: Settings | undefined): Statement<SetName>[] {
    const [before, after] = [nameOf(rule.settings), nameOf(settings)];
    const isNew = after !== undefined && (!uses.has(after) || doubtful.delete(after));
    const lines = difference(rule.pieces, pieces);
    if (settings && isNew) lines.unshift(...addSettings(settings));
    use(after, 1);
    use(before, -1);
    return [...lines, ...surplus().flatMap((name) => deleteSettings(name))];
  }

  async function change(rule: KernelRule, pieces: Contents, settings: Settings | undefined): Promise<Refusal> {
    const before = rule.settings;
    const refusal = await writer.write(statements(rule, pieces, settings));
    if (refusal === '') {
      rule.pieces = pieces;
      rule.settings = settings;
    } else {
      use(nameOf(settings), -1);
      use(nameOf(before), 1);
      if (settings) doubtful.add(settingsName(settings));
    }
    return refusal;
  }

  async function restore(): Promise<Refusal> {
    await writer.settled();
    return isThere() ? '' : nft(tableText(rules(), options));
  }

  return {
    async change(rule, pieces, settings) {
      const refusal = await change(rule, pieces, settings);
      if (refusal === '' || isThere()) return refusal;
      return (await restore()) || change(rule, pieces, settings);
    },
    restore,
    async remove() {
      await writer.settled();
      return isThere() ? nft(`delete table ${TABLE}\n`) : '';
    },
    settled: () => writer.settled(),
  };
}

function nameOf(settings: Settings | undefined): string | undefined {
  return settings && settingsName(settings);
}
