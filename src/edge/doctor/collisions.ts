/** Finds what is in the way of this machine's rules: reads the firewall and the sockets, which firewall.ts and taken.ts judge. */
import { execFile } from 'node:child_process';
import { realpathSync, readFileSync } from 'node:fs';
import type { Config } from '../../config/read.ts';
import { dataFolder } from '../../config/data-folder.ts';
import { type Finding, warn } from '../../observe/finding.ts';
import { firewallFindings, type Place } from './firewall.ts';
import { lastRules, placesOf } from './places.ts';
import { type LegacyFamily, readLegacy } from './legacy.ts';
import { type Chain, readRuleset } from './ruleset.ts';
import { holdersOf, socketFacts, takenFindings, takings } from './taken.ts';

/** `isRunning`: the EdgeFour of this data folder. */
export async function collisionFindings(config: Config, isRunning: boolean): Promise<Finding[]> {
  if (process.platform !== 'linux') return [];
  const rules = await lastRules(config);
  const places = placesOf(rules, config.addresses, config.engine === 'auto' || config.engine === 'kernel');
  const taken = takings(places, socketFacts());
  const inodes = new Set(taken.map(({ by }) => by.inode));
  const holders = inodes.size === 0 ? new Map() : holdersOf(inodes, lockOf(config));
  const ruleset = await said('nft', '-j', 'list', 'ruleset');
  const legacy = await legacyTables();
  const nftables = ruleset === undefined ? [] : [...readRuleset(ruleset)];
  const looked = [
    ...(ruleset === undefined ? [] : ['nftables']),
    ...(legacy.chains.length > 0 ? ['iptables-legacy'] : []),
  ];
  return [
    ...(ruleset === undefined ? unseen(places) : []),
    ...(looked.length === 0
      ? []
      : firewallFindings(new Map([...nftables, ...legacy.chains]), places, looked.join(' and '))),
    ...legacy.unread,
    ...(rules.length === 0 ? [] : takenFindings(taken, holders, isRunning)),
  ];
}

function lockOf(config: Config): string {
  try {
    return realpathSync(dataFolder(config.data).locks.edge);
  } catch {
    return '';
  }
}

/** A firewall is hardly ever in the way on loopback. */
function unseen(places: readonly Place[]): Finding[] {
  if (places.every(({ before }) => before.isLoopback)) return [];
  const fix = 'Run `edgefour doctor` once as root where nftables is there.';
  return [warn('firewall', 'it can not be looked at, so what drops or translates packets is not known', fix)];
}

/** undefined: it may not be looked at, or the program is not there. */
function said(program: string, ...words: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, words, { maxBuffer: 256 << 20 }, (error, text) => resolve(error ? undefined : text));
  });
}

interface LegacyTables {
  readonly chains: readonly (readonly [string, Chain])[];
  readonly unread: readonly Finding[];
}

/** Tables of the older iptables, which nft does not show. The kernel says whether there are any; only then a program is asked. */
async function legacyTables(): Promise<LegacyTables> {
  const read = await Promise.all(
    (['ip', 'ip6'] as const).map(async (family) => {
      const tables = namesIn(`/proc/self/net/${family}_tables_names`);
      if (tables.length === 0) return { chains: [], unread: [] };
      const text = await said(`${family}tables-legacy-save`);
      return text === undefined
        ? { chains: [], unread: [unread(family, tables)] }
        : { chains: [...readLegacy(text, family)], unread: [] };
    }),
  );
  return { chains: read.flatMap(({ chains }) => chains), unread: read.flatMap(({ unread }) => unread) };
}

function unread(family: LegacyFamily, tables: readonly string[]): Finding {
  const text = `${family}tables-legacy has tables that can not be looked at: ${tables.join(', ')}`;
  const fix = `Install ${family}tables-legacy-save: what FORWARD and INPUT drop there does not reach a rule.`;
  return warn('firewall', text, fix);
}

function namesIn(file: string): string[] {
  try {
    return readFileSync(file, 'latin1').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
