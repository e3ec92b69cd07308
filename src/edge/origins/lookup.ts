/**
 * Asks the system for the addresses of a name: DNS first, for its TTL, then the names that the host itself knows
 * (/etc/hosts, localhost, mDNS). Each family is a question of its own, and one that failed is told apart from one that has
 * no address. It remembers nothing; names.ts does.
 */
import { promises as dns } from 'node:dns';
import { stat } from 'node:fs/promises';
import { createGate } from '../gate.ts';

export interface Answer {
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
  /** Families whose question failed: nothing is known of their addresses. */
  readonly failed?: readonly Family[];
}
export type Family = 4 | 6;
/** Rejects where the name has no address or no server could be asked; the message is for an operator. */
export type Lookup = (name: string) => Promise<Answer>;

type Resolver = Pick<dns.Resolver, 'resolve4' | 'resolve6'>;
type AskHost = (name: string, options: { all: true; family: Family }) => Promise<readonly { address: string }[]>;

interface LookupOptions {
  /** Reads which servers to ask; default from /etc/resolv.conf. */
  readonly resolver?: () => Resolver;
  readonly host?: AskHost;
  readonly resolvConf?: string;
}

/** limit: /etc/hosts has no TTL; this is how soon a change of it is seen. */
const HOST_TTL_SECONDS = 10;
const FAMILIES = [4, 6] as const;
/** There is no such name, or it has no address of this family. */
const NONE = new Set(['ENOTFOUND', 'ENODATA']);

interface Found {
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
  /** Absent: it was answered. */
  readonly reason?: string;
}
const NOTHING: Found = { addresses: [], ttlSeconds: Infinity };

export function createSystemLookup({
  resolver: open = () => new dns.Resolver({ timeout: 2_000, tries: 2 }),
  host = dns.lookup,
  resolvConf = '/etc/resolv.conf',
}: LookupOptions = {}): Lookup {
  // limit: getaddrinfo blocks a thread of the pool of four that file writes need too.
  const gate = createGate(2);
  let resolver: Resolver | undefined;
  let version = '';

  /** A resolver reads its servers once. */
  async function current(): Promise<Resolver> {
    const now = await versionOf(resolvConf);
    if (!resolver || now !== version) resolver = open();
    version = now;
    return resolver;
  }

  async function askDns(name: string, family: Family): Promise<Found> {
    const asked = await current();
    return ask(async () => {
      const found = await (family === 4 ? asked.resolve4(name, { ttl: true }) : asked.resolve6(name, { ttl: true }));
      const ttlSeconds = Math.min(...found.map(({ ttl }) => ttl));
      return { addresses: found.map(({ address }) => address), ttlSeconds };
    });
  }

  /** `before`: what DNS said. The host may know no better. */
  async function askHost(name: string, family: Family, before: Found): Promise<Found> {
    const leave = await gate.enter();
    try {
      const found = await ask(async () => {
        const all = await host(name, { all: true, family });
        return { addresses: all.map(({ address }) => address), ttlSeconds: HOST_TTL_SECONDS };
      });
      return found.addresses.length > 0 || found.reason !== undefined ? found : before;
    } finally {
      leave();
    }
  }

  return async (name) => {
    const told = await Promise.all(FAMILIES.map((family) => askDns(name, family)));
    const isKnown = told.some(({ addresses }) => addresses.length > 0);
    const found = isKnown
      ? told
      : await Promise.all(FAMILIES.map((family, i) => askHost(name, family, told[i] ?? NOTHING)));
    const addresses = found.flatMap((one) => one.addresses);
    const failed = FAMILIES.filter((_, i) => found[i]?.reason !== undefined);
    if (addresses.length === 0 && failed.length !== 1)
      throw new Error(found.find(({ reason }) => reason)?.reason ?? `${name} has no address`);
    return { addresses, ttlSeconds: Math.min(...found.map(({ ttlSeconds }) => ttlSeconds)), failed };
  };
}

async function ask(question: () => Promise<Found>): Promise<Found> {
  try {
    return await question();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return NONE.has(code ?? '') ? NOTHING : { ...NOTHING, reason: message };
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    return '';
  }
}
