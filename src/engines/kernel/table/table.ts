/**
 * The engine's table in the kernel: made at the start, changed rule by rule, made again where another program has removed it
 * (a firewall that reloads flushes the whole ruleset), removed at the end. It keeps the shared chains of settings as long as
 * a rule uses them. It knows nothing of connections. open.ts makes it, the engine and changes.ts call it.
 */
import { errnoName } from '../../../linux/ffi/libc.ts';
import type { Netlink } from '../../../linux/netlink/socket.ts';
import { NFNL_SUBSYS_NFTABLES } from '../../../linux/nft/nf-tables.ts';
import type { Refusal } from '../../../linux/nft/nft.ts';
import { difference, type Statement, textOf } from '../../../linux/nft/transaction.ts';
import { isTable } from '../../../linux/nft/whole-tables.ts';
import { createWriter } from '../../../linux/nft/writer.ts';
import { KERNEL_TABLE } from '../../table-owner.ts';
import { baseText, type TableOptions } from './base.ts';
import { messagesOf } from './encode.ts';
import { type Contents, LAYOUT, NO_CONTENTS, type SetName, TABLE } from './sets.ts';
import { type Settings, settingsName } from './settings.ts';
import { addSettings, deleteSettings } from './settings-chains.ts';

/** A rule, as far as the table knows it. */
interface Placed {
  contents: Contents;
  settings: Settings | undefined;
}

export interface Table {
  /** Makes the table, or makes an older one so; what rules have in it stays. `former`: whose it was until now. */
  make(former: readonly string[]): Promise<Refusal>;
  isThere(): boolean;
  /** Gives the rule these contents and settings. Refused: it has what it had. */
  change(rule: Placed, contents: Contents, settings: Settings | undefined): Promise<Refusal>;
  /** Writes everything, where the table is gone. */
  restore(): Promise<Refusal>;
  remove(): Promise<Refusal>;
  /** Resolves when all changes until now are decided. */
  settled(): Promise<void>;
}

interface TableDeps {
  readonly asking: Pick<Netlink, 'dump' | 'get' | 'transact'>;
  readonly nft: (text: string) => Promise<Refusal>;
  readonly rules: () => Iterable<Placed>;
  /** Names of settings whose chain is in the table already. */
  readonly settings: readonly string[];
  readonly options: TableOptions;
}

export function createTable({ asking, nft, rules, settings, options }: TableDeps): Table {
  const chains = createSettingsUse(settings, rules());
  const writer = createWriter<SetName>({
    nft: (statements) => nft(textOf(LAYOUT, statements)),
    direct(statements) {
      const messages = messagesOf(statements);
      if (!messages) return undefined;
      const code = asking.transact(NFNL_SUBSYS_NFTABLES, messages);
      return code === 0 ? '' : errnoName(code);
    },
  });
  const isThere = (): boolean => isTable(asking, KERNEL_TABLE);

  async function change(rule: Placed, contents: Contents, settings: Settings | undefined): Promise<Refusal> {
    const before = rule.settings;
    const own = difference(rule.contents, contents);
    const { first, last } = chains.replace(before, settings);
    const refusal = await writer.write([...first, ...own, ...last]);
    if (refusal === '') Object.assign(rule, { contents, settings });
    else chains.undo(before, settings);
    return refusal;
  }

  async function restore(): Promise<Refusal> {
    await writer.settled();
    return isThere() ? '' : nft(tableText(rules(), options));
  }

  return {
    make: (former) => nft(baseText({ ...options, former })),
    isThere,
    async change(rule, contents, settings) {
      const refusal = await change(rule, contents, settings);
      if (refusal === '' || isThere()) return refusal;
      return (await restore()) || change(rule, contents, settings);
    },
    restore,
    async remove() {
      await writer.settled();
      return isThere() ? nft(`delete table ${TABLE}\n`) : '';
    },
    settled: () => writer.settled(),
  };
}

/** limit: a chain and two time-out objects each. */
const MOST_UNUSED = 32;

/** Which settings have their chain in the table, and how many rules use each. */
function createSettingsUse(there: readonly string[], rules: Iterable<Placed>) {
  const uses = new Map<string, number>(there.map((name) => [name, 0]));
  /** Whether their chain is in the table is not known; written again, it is. */
  const doubtful = new Set<string>();
  for (const { settings } of rules) use(settings, 1);

  function use(settings: Settings | undefined, by: 1 | -1): void {
    const name = settings && settingsName(settings);
    if (name !== undefined) uses.set(name, (uses.get(name) ?? 0) + by);
  }

  /** Settings that no rule uses, but for the last few: rules come and go, and most are alike. */
  function surplus(): string[] {
    const unused = [...uses].filter(([, count]) => count <= 0).map(([name]) => name);
    const surplus = unused.slice(0, Math.max(0, unused.length - MOST_UNUSED));
    for (const name of surplus) uses.delete(name);
    return surplus;
  }

  return {
    /** What to write before and after the change of a rule. */
    replace(before: Settings | undefined, after: Settings | undefined): { first: string[]; last: string[] } {
      const name = after && settingsName(after);
      const isNew = name !== undefined && (!uses.has(name) || doubtful.delete(name));
      const first = after && isNew ? addSettings(after) : [];
      use(after, 1);
      use(before, -1);
      return { first, last: surplus().flatMap((name) => deleteSettings(name)) };
    },
    /** That change was refused. */
    undo(before: Settings | undefined, after: Settings | undefined): void {
      use(after, -1);
      use(before, 1);
      if (after) doubtful.add(settingsName(after));
    },
  };
}

/** The whole table for `nft -f`: what it takes where nothing of it is there. */
function tableText(rules: Iterable<Placed>, options: TableOptions): string {
  const all = [...rules];
  const settings = new Map(all.flatMap(({ settings }) => (settings ? [[settingsName(settings), settings]] : [])));
  const contents = all.map(({ contents }) => contents);
  const whole: Contents = {
    elements: new Map(contents.flatMap(({ elements }) => [...elements])),
    chains: new Map(contents.flatMap(({ chains }) => [...chains])),
    maps: new Map(contents.flatMap(({ maps }) => [...maps])),
  };
  const shared: Statement<SetName>[] = [...settings.values()].flatMap((one) => addSettings(one));
  return baseText(options) + textOf(LAYOUT, [...shared, ...difference(NO_CONTENTS, whole)]);
}

/** What nft or the kernel says, as an operator reads it. */
export function explainRefusal(refusal: Refusal): string {
  if (/File exists|conflicting|EEXIST|EBUSY/.test(refusal))
    return 'another rule of this edge has one of its addresses and ports';
  return `the kernel refuses it: ${refusal}`;
}
