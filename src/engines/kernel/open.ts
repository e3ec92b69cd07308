/**
 * Opens everything that the kernel engine works with, and takes over what an earlier engine left in the kernel. The order is
 * what keeps every connection served and counted. Called once, by engine.ts; whether the engine can be had at all, create.ts
 * asks before.
 */
import { systemClock } from '../../lib/clock.ts';
import { systemRng } from '../../lib/rng.ts';
import { Inherited } from '../../handoff/inherited.ts';
import { Netlink } from '../../linux/netlink/socket.ts';
import { runNft } from '../../linux/nft/nft.ts';
import type { EngineEvents } from '../engine.ts';
import { TargetStates } from '../flow/target-states.ts';
import { type Acceleration, openAcceleration } from './acceleration.ts';
import { type Accounts, openAccounts } from './account/account.ts';
import { openCounterFile } from './account/counter-file.ts';
import { type Conntrack, openConntrack } from './conntrack/conntrack.ts';
import { createDrains, type Drains } from './conntrack/drains.ts';
import { openPeerResetter } from './conntrack/reset-peers.ts';
import { chooseFastPath } from './fast-path/choose.ts';
import { openFastPath } from './fast-path/fast-path.ts';
import { createMonitor, type Monitor } from './monitor.ts';
import { createRuleSet, type RuleSet } from './rules.ts';
import type { KernelSetting } from './setting.ts';
import { FORWARD, switchedOff, systemSysctls as sysctls } from './sysctl.ts';
import { type Found, readBack, tableHandle } from './table/read-back.ts';
import { createTable, type Table } from './table/table.ts';

export interface Parts {
  readonly rules: RuleSet;
  readonly states: TargetStates;
  readonly table: Table;
  readonly accounts: Accounts;
  readonly conntrack: Conntrack;
  readonly drains: Drains;
  readonly monitor: Monitor;
  readonly acceleration: Acceleration;
  /** This engine or one before it has switched forwarding on. */
  readonly isGuarded: boolean;
  /** An engine of another process serves until this one begins. */
  readonly isSuccessor: boolean;
  /** What the kernel calls the table that is there now. */
  readonly handle: () => number;
  readonly close: () => void;
}

const STOLEN = 'another edge on this machine has just made it';

/** Rejects where the table can't be made. */
export async function openParts(setting: KernelSetting, events: EngineEvents): Promise<Parts> {
  const { isRetiring = false, sockets } = setting;
  const isAsked = setting.use === 'by name';
  // order: asked now. A thread that is started again later succeeds no other process.
  const isSuccessor = sockets !== undefined && !new Inherited(sockets).hasBegun;
  const log = events.log.bind(events);
  const asking = new Netlink();
  const handle = (): number => tableHandle(asking);

  const file = openCounterFile(setting.counterFile, handle());
  const rules = createRuleSet((index) => file.row(index));
  const found = readBack(asking);
  for (const rule of found.rules) rules.inherit(rule);

  const acceleration = openAcceleration(
    () =>
      chooseFastPath({
        isWanted: setting.fastPath !== false && !isRetiring,
        isAsked,
        sysctls,
        open: () => openFastPath(asking),
        log,
      }),
    rules,
  );
  const isGuarded = found.isGuarded || (isAsked && sysctls.read(FORWARD) !== '1');
  const table = createTable({
    asking,
    nft: (text) => runNft(text),
    rules: () => rules.byId.values(),
    settings: found.settings,
    options: { isGuarded, stamp: acceleration.stamp, owner: setting.owner },
  });
  const refusal = await makeTable(table, found, setting);
  if (refusal !== '') {
    acceleration.close();
    throw new Error(`the table cannot be made: ${refusal}`);
  }
  // order: the guard is there before anything can pass it.
  if (isAsked) switchOn(log);
  file.begin(handle());

  const conntrack = acceleration.beside(openConntrack(setting.eventsBytes));
  const clock = systemClock;
  const rng = systemRng;
  const accounts = openAccounts({ asking, clock, rng, file, records: setting.records, rules, events });
  // order: before a connection can begin or end that no account has.
  conntrack.hear(rules.byId.size > 0);
  accounts.count();
  acceleration.count();
  const inherited = conntrack.flows();
  accounts.adopt(inherited, isSuccessor);
  if (found.isThere) log('info', 'took over the rules in the kernel', { rules: rules.byId.size });

  const resetter = openPeerResetter();
  const states = new TargetStates();
  const drains = createDrains({
    clock,
    states,
    // The rules live on, in another engine.
    ...(isRetiring && { unheard: { how: 'keep', seconds: 0 } as const }),
    end(flows, cause) {
      for (const flow of flows) accounts.recorder.ending(flow, cause);
      conntrack.end(flows);
      resetter.reset(flows);
    },
  });
  const monitor = createMonitor({ clock, conntrack, resetter, rules, accounts, drains, log });
  monitor.adopt(inherited);
  function close(): void {
    asking.close();
    conntrack.close();
    resetter.close();
    accounts.close();
  }
  const parts = { rules, states, table, accounts, conntrack, drains, monitor, acceleration };
  return { ...parts, isGuarded, isSuccessor, handle, close };
}

/** Refuses a table that another edge has made since this one was told to make its own. */
async function makeTable(
  table: Table,
  { owners }: Found,
  { owner, former: dead = [] }: KernelSetting,
): Promise<string> {
  const former = owners.filter((one) => one !== owner);
  return former.every((one) => dead.includes(one)) ? table.make(former) : STOLEN;
}

function switchOn(log: EngineEvents['log']): void {
  for (const { name, why } of switchedOff(sysctls)) {
    const problem = sysctls.set(name, '1');
    if (problem === undefined) log('info', `${name} is now 1: ${why}`);
    else log('error', `${name} cannot be set: ${why}`, { reason: problem });
  }
}
