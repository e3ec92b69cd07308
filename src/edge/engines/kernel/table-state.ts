/**
 * The table as this engine wants it: what each rule has there, and the shared chains of settings as long as a rule uses
 * them. A table that somebody else has removed (a firewall that reloads flushes the whole ruleset) is made again.
 */
import { createWriter, type Refusal } from './nft.ts';
import type { Pieces } from './pieces.ts';
import type { KernelRule } from './registry.ts';
import { tableText } from './render.ts';
import { addSettings, deleteSettings, type Settings, settingsName } from './settings.ts';
import { TABLE } from './table.ts';
import { difference } from './transaction.ts';

export interface TableState {
  /** Gives the rule these pieces and settings. Refused: it has what it had. */
  change(rule: KernelRule, pieces: Pieces, settings: Settings | undefined): Promise<Refusal>;
  /** Writes everything, where the table is gone. */
  restore(): Promise<Refusal>;
  /** Removes the table. */
  remove(): Promise<Refusal>;
  settled(): Promise<void>;
}

export interface TableDeps {
  readonly nft: (text: string) => Promise<Refusal>;
  readonly rules: () => Iterable<KernelRule>;
  readonly isThere: () => boolean;
  /** Chains of settings that are in the table already. */
  readonly settings: readonly string[];
  readonly isGuarded: boolean;
}

export function createTableState({ nft, rules, isThere, settings, isGuarded }: TableDeps): TableState {
  const writer = createWriter(nft);
  /** Settings by name → how many rules use them; what was there before is used by nobody we know of. */
  const uses = new Map<string, number>(settings.map((name) => [name, 0]));

  function use(name: string, by: 1 | -1): number {
    const count = (uses.get(name) ?? 0) + by;
    uses.set(name, count);
    return count;
  }

  function statements(rule: KernelRule, pieces: Pieces, settings: Settings | undefined): string[] {
    const [before, after] = [nameOf(rule.settings), nameOf(settings)];
    const lines = difference(rule.pieces, pieces);
    if (before === after) return lines;
    if (settings && after !== undefined && use(after, 1) === 1) lines.unshift(...addSettings(settings));
    if (before !== undefined && use(before, -1) === 0) lines.push(...deleteSettings(before));
    return lines;
  }

  async function change(rule: KernelRule, pieces: Pieces, settings: Settings | undefined): Promise<Refusal> {
    const refusal = await writer.write(statements(rule, pieces, settings));
    if (refusal === '') {
      rule.pieces = pieces;
      rule.settings = settings;
    } else if (nameOf(rule.settings) !== nameOf(settings)) {
      if (settings) use(settingsName(settings), -1);
      if (rule.settings) use(settingsName(rule.settings), 1);
    }
    return refusal;
  }

  async function restore(): Promise<Refusal> {
    await writer.settled();
    return isThere() ? '' : nft(tableText(rules(), isGuarded));
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
