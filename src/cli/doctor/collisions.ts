/** What on this machine is in the way of the rules it serves: gathers what firewall.ts and taken.ts judge. */
import { execFile } from 'node:child_process';
import { realpathSync, readFileSync } from 'node:fs';
import type { Config } from '../../config/read.ts';
import { dataFolder } from '../../config/data-folder.ts';
import { type Finding, warn } from './finding.ts';
import { firewallFindings, type Place } from './firewall.ts';
import { lastRules, placesOf } from './places.ts';
import { readRuleset } from './ruleset.ts';
import { holdersOf, socketFacts, takenFindings, takings } from './taken.ts';

/** `isRunning`: the EdgeFour of this data folder. */
export async function collisionFindings(config: Config, isRunning: boolean): Promise<Finding[]> {
  if (process.platform !== 'linux') return [];
  const rules = await lastRules(config);
  const places = placesOf(rules, config.addresses, config.engine === 'auto' || config.engine === 'kernel');
  const taken = takings(places, socketFacts());
  const inodes = new Set(taken.map(({ by }) => by.inode));
  const holders = inodes.size === 0 ? new Map() : holdersOf(inodes, lockOf(config));
  const ruleset = await listRuleset();
  return [
    ...(ruleset === undefined ? unseen(places) : firewallFindings(readRuleset(ruleset), places)),
    ...legacyFindings(),
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

/** What a firewall does on loopback is hardly ever in the way. */
function unseen(places: readonly Place[]): Finding[] {
  if (places.every(({ before }) => before.isLoopback)) return [];
  const fix = 'Run `edgefour doctor` once as root where nftables is there.';
  return [warn('firewall', 'it can not be looked at, so who drops or translates packets is not known', fix)];
}

/** undefined: it may not be looked at, or there is no nft. */
function listRuleset(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('nft', ['-j', 'list', 'ruleset'], { maxBuffer: 256 << 20 }, (error, text) =>
      resolve(error ? undefined : text),
    );
  });
}

/** Tables of the older iptables, which nft does not show. */
function legacyFindings(): Finding[] {
  const tables = ['ip_tables_names', 'ip6_tables_names'].flatMap((name) => {
    try {
      return readFileSync(`/proc/self/net/${name}`, 'latin1').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  });
  if (tables.length === 0) return [];
  const text = `iptables-legacy has tables that are not looked at here: ${[...new Set(tables)].join(', ')}`;
  return [warn('firewall', text, 'See iptables-legacy-save: what its FORWARD and INPUT drop does not reach a rule.')];
}
