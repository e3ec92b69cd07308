/** `edgefour limit`: limits of an instance or a rule, address lists, and bans of networks; an instance is named by its id alone. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { EdgeFourPutAddressList } from '../../api/actions/edgefour/EdgeFourPutAddressList.ts';
import { EdgeFourSetLimits } from '../../api/actions/edgefour/EdgeFourSetLimits.ts';
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import { badNetwork, MOST_NETWORKS, NETWORKS_PER_PART } from '../../domain/limit/networks.ts';
import type { Client } from '../client/api-client.ts';
import type { Command } from '../command.ts';
import { show, tell } from '../output.ts';
import { openSession } from '../client/session.ts';
import { zoneOf } from '../client/status.ts';
import { secondsFrom } from '../client/times.ts';
import { numberFrom } from '../client/verbs.ts';

/** Flag → field. */
const AMOUNTS = {
  new: 'NewPerSecond',
  concurrent: 'Concurrent',
  packets: 'PacketsPerSecond',
  'rule-new': 'RuleNewPerSecond',
  'rule-concurrent': 'RuleConcurrent',
  'syn-proxy': 'SynProxy',
  prefix4: 'Prefix4',
  prefix6: 'Prefix6',
} as const;
const LISTS = { allow: 'Allow', deny: 'Deny' } as const;
const SERVICE = EdgeFourSetLimits.service;

const amountFlags = Object.entries(AMOUNTS).map(([flag, field]) => [
  flag,
  { value: 'N', help: `set: ${EdgeFourSetLimits.request[field].description} 0 takes it away.` },
]);
const listFlags = Object.entries(LISTS).map(([flag, field]) => [
  flag,
  { value: 'LIST …', help: `set: ${EdgeFourSetLimits.request[field].description} "" takes it away.` },
]);

const USAGES = {
  set: '<ProxyId> [RuleId …] --new 20 …',
  show: '<ProxyId>',
  list: '<Name> <FILE with a network a line, or - for standard input>',
  ban: '<ProxyId> <CIDR> [--for 10m]',
  unban: '<ProxyId> <CIDR>',
} as const;

export const command: Command = {
  summary: 'Limits of instances and rules, address lists, bans of networks.',
  usage: `${Object.keys(USAGES).join('|')} …`,
  roles: ['client'],
  flags: {
    ...Object.fromEntries([...amountFlags, ...listFlags]),
    for: { value: 'TIME', help: 'ban: how long, as 90s, 10m, 2h or 1d; else until it is lifted.' },
    json: { help: 'For programs.' },
  },
  notes: Object.entries(USAGES).map(([verb, usage]) => `edgefour limit ${verb} ${usage}`),
  async run(args) {
    const { config, flags, words } = readConfig(args, command.roles, command.flags);
    const { client, zoneId } = openSession(config);
    const [verb = '', first = '', ...rest] = words;
    const [second = ''] = rest;
    const usage = Object.hasOwn(USAGES, verb) ? USAGES[verb as keyof typeof USAGES] : undefined;
    if (usage === undefined) throw new Usage(`Say what to do: ${Object.keys(USAGES).join(', ')}.`);
    const needed = { set: 1, show: 1, list: 2, ban: 2, unban: 2 }[verb as keyof typeof USAGES];
    if (words.length - 1 < needed || (verb !== 'set' && words.length - 1 > needed))
      throw new Usage(`It is: edgefour limit ${verb} ${usage}`);
    if (verb === 'list') {
      await putList(client, zoneId, first, second);
      return 0;
    }
    const instance = { ZoneId: await zoneOf(client, first), ProxyId: first };
    const call = (action: string, fields: Readonly<Record<string, unknown>>) =>
      client.call<Readonly<Record<string, unknown>>>(action, { ...instance, ...fields }, SERVICE);
    if (verb === 'set') {
      const RuleIds = rest.length === 0 ? {} : { RuleIds: rest };
      show(await call('EdgeFourSetLimits', { ...RuleIds, ...limitsFrom(flags) }), flags.has('json'));
    } else if (verb === 'show') show(await call('EdgeFourDescribeLimits', {}), flags.has('json'));
    else if (verb === 'unban') show(await call('EdgeFourUnbanNetwork', { Network: second }), flags.has('json'));
    else {
      const Seconds = secondsFrom(flags.get('for')?.at(-1));
      show(await call('EdgeFourBanNetwork', { Network: second, ...(Seconds && { Seconds }) }), flags.has('json'));
    }
    return 0;
  },
};

function limitsFrom(flags: ReadonlyMap<string, readonly string[]>): Readonly<Record<string, unknown>> {
  const amounts = Object.entries(AMOUNTS).flatMap(([flag, field]) => {
    const amount = numberFrom(flag, flags.get(flag)?.at(-1));
    return amount === undefined ? [] : [[field, amount]];
  });
  const lists = Object.entries(LISTS).flatMap(([flag, field]) => {
    const names = flags.get(flag);
    return names === undefined ? [] : [[field, names.filter((name) => name !== '')]];
  });
  const given: Readonly<Record<string, unknown>> = Object.fromEntries([...amounts, ...lists]);
  if (Object.keys(given).length === 0) throw new Usage('Say what to limit: `edgefour limit --help` lists the flags.');
  return given;
}

const STANDARD_INPUT = 0;

/** Lines; what follows a `#` is a remark. */
async function putList(client: Client, ZoneId: string, Name: string, file: string): Promise<void> {
  let text: string;
  try {
    text = readFileSync(file === '-' ? STANDARD_INPUT : file, 'utf8');
  } catch (error) {
    throw new Usage(`Can't read ${file} (${(error as NodeJS.ErrnoException).code}).`);
  }
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  for (const [at, line] of lines.entries())
    if (line !== '' && badNetwork([line]))
      throw new Usage(`${file}:${at + 1}: ${line} is neither an address nor a CIDR.`);
  const networks = [...new Set(lines.filter((line) => line !== ''))];
  if (networks.length > MOST_NETWORKS)
    throw new Usage(`${file} has ${networks.length} networks; a list can have ${MOST_NETWORKS}.`);
  const Parts = Math.max(1, Math.ceil(networks.length / NETWORKS_PER_PART));
  // Its content: the same file at the same time twice is one put.
  const Put = createHash('sha256').update(networks.join('\n')).digest('hex');
  for (let Part = 0; Part < Parts; Part++) {
    const Networks = networks.slice(Part * NETWORKS_PER_PART, (Part + 1) * NETWORKS_PER_PART);
    await client.call(
      'EdgeFourPutAddressList',
      { ZoneId, Name, Networks, Put, Part, Parts },
      EdgeFourPutAddressList.service,
    );
  }
  tell(`${Name}: ${networks.length} networks`);
}
