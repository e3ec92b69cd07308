/**
 * A whole EdgeFour with origins behind it, on free ports and a folder of its own: in this process, or as the real tree
 * of processes (`{ processes: true }`). `await using w = await world({ origins: 2 })` leaves nothing behind.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiClient, type Client } from '../../src/cli/client/api-client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { spawnNpmStart } from './command.ts';
import { freePort, loopback } from '../suites/engine/fixture.ts';
import { openOrigin, type Origin } from './origin.ts';
import { type Facts, inProcess, inProcesses, type Place, type Tree } from './places.ts';
import { online } from './online.ts';

interface WorldOptions {
  /** Servers to forward to, TCP and UDP each; default 1. */
  readonly origins?: number;
  /** More settings, as flags: `['--rate', '20']`. */
  readonly settings?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where the data folder is; default a place of its own. */
  readonly data?: string;
}

/** A rule as CreateL4ProxyRules takes it; what is absent is TCP on a free port to the first origin. */
interface RuleWish {
  readonly Protocol?: 'TCP' | 'UDP';
  readonly PortRange?: readonly string[];
  readonly OriginValue?: readonly string[];
  readonly OriginPortRange?: string;
  readonly [more: string]: unknown;
}

export interface Proxy {
  readonly proxyId: string;
  readonly ruleIds: readonly string[];
  readonly address: string;
  /** The first port of each rule. */
  readonly ports: readonly number[];
}

export interface World<P extends Place = Place> extends AsyncDisposable, Facts {
  readonly place: P;
  readonly folder: string;
  /** The flags it was started with; the same again start it again. */
  readonly args: readonly string[];
  readonly client: Client;
  readonly origins: readonly Origin[];
  /** Creates an instance with these rules and waits until all of it is online. */
  proxy(name: string, rules: readonly RuleWish[]): Promise<Proxy>;
  /** More rules on an instance; resolves when they are online. */
  rules(proxyId: string, rules: readonly RuleWish[]): Promise<{ readonly ruleIds: string[]; readonly ports: number[] }>;
}

/** Control and edge in this process. */
export function world(options: WorldOptions = {}): Promise<World> {
  return open(options, (args, environment) => inProcess(args, environment));
}

/** `edgefour up` with its children; what starts it may be npm. */
export function treeWorld(options: WorldOptions = {}, spawnUp?: typeof spawnNpmStart): Promise<World<Tree>> {
  return open(options, (args, environment, folder) =>
    inProcesses(args, environment, join(folder, 'ready.json'), spawnUp),
  );
}

type Start<P> = (args: readonly string[], environment: Readonly<Record<string, string>>, folder: string) => Promise<P>;

async function open<P extends Place>(options: WorldOptions, start: Start<P>): Promise<World<P>> {
  await using ending = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
  ending.defer(() => rmSync(folder, { recursive: true, force: true }));
  const origins = await Promise.all(Array.from({ length: options.origins ?? 1 }, () => openOrigin()));
  for (const origin of origins) ending.use(origin);
  const data = options.data ?? join(folder, 'data');
  const args = [...freeSettings(data), ...(options.settings ?? [])];
  const place = await start(args, options.environment ?? {}, folder);
  ending.defer(() => place.stop());
  const { facts } = place;
  const client = apiClient(facts.api, facts, () => systemClock.now());
  const rules = (proxyId: string, wishes: readonly RuleWish[]) =>
    addRules(client, facts.zoneId, proxyId, wishes, origins);
  const kept = ending.move();
  return {
    ...facts,
    place,
    folder: data,
    args,
    client,
    origins,
    rules,
    async proxy(name, wishes) {
      const fields = { ZoneId: facts.zoneId, ProxyName: name, Area: 'overseas' };
      const { ProxyId } = await client.call<{ ProxyId: string }>('CreateL4Proxy', fields);
      const made = wishes.length > 0 ? await rules(ProxyId, wishes) : { ruleIds: [], ports: [] };
      const address = await online(client, facts.zoneId, ProxyId);
      return { proxyId: ProxyId, address, ...made };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Entry addresses of a /24 that no test process beside this one has, ports the system chooses, no rate limit. */
export function freeSettings(data: string): string[] {
  const network = `${loopback().split('.').slice(0, 3).join('.')}.0/24`;
  return ['--data', data, '--listen', '127.0.0.1:0', '--dns', '127.0.0.1:0', '--addresses', network, '--rate', '0'];
}

async function addRules(
  client: Client,
  ZoneId: string,
  ProxyId: string,
  wishes: readonly RuleWish[],
  origins: readonly Origin[],
) {
  const ports = await Promise.all(wishes.map((wish) => firstPort(wish)));
  const L4ProxyRules = wishes.map((wish, i) => ({
    Protocol: 'TCP',
    PortRange: [`${ports[i]}`],
    OriginType: 'IP_DOMAIN',
    OriginValue: [origins[0]?.address],
    OriginPortRange: `${wish.Protocol === 'UDP' ? origins[0]?.udpPort : origins[0]?.tcpPort}`,
    ...wish,
  }));
  const fields = { ZoneId, ProxyId, L4ProxyRules };
  const { L4ProxyRuleIds } = await client.call<{ L4ProxyRuleIds: string[] }>('CreateL4ProxyRules', fields);
  await online(client, ZoneId, ProxyId);
  return { ruleIds: L4ProxyRuleIds, ports };
}

async function firstPort({ PortRange: [first] = [] }: RuleWish): Promise<number> {
  return first === undefined ? freePort() : Number.parseInt(first, 10);
}
