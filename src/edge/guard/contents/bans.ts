/**
 * Bans of instances as sets of the guard's table: one hash set for each length of prefix, so that one ban more or less is
 * one element, bans may lie in each other, and each ends by itself, in the kernel. Pure.
 */
import type { BanRecord } from '../../../domain/limit/networks.ts';
import { isStanding } from '../../../domain/until.ts';
import { parseCidr, cidrText } from '../../../lib/net/cidr.ts';
import { type Family, WIDTH } from '../layout.ts';

export interface BanSet {
  readonly name: string;
  readonly family: Family;
  readonly bits: number;
  /** First address of the network → when the ban ends, milliseconds since 1970; undefined: when it is lifted. */
  readonly elements: ReadonlyMap<string, number | undefined>;
}

interface Ban extends BanRecord {
  readonly address: string;
  readonly family: Family;
  readonly bits: number;
}

export class Bans {
  /** By instance and key of the record. */
  readonly #records = new Map<string, Map<string, Ban>>();

  /** Gives the instance. `value` undefined or unreadable: there is no such ban. */
  put(key: string, value: unknown): string {
    const proxy = key.split('/')[1] ?? '';
    const own = this.#records.get(proxy) ?? new Map<string, Ban>();
    const ban = read(value);
    if (ban) this.#records.set(proxy, own.set(key, ban));
    else if (own.delete(key) && own.size === 0) this.#records.delete(proxy);
    return proxy;
  }

  proxies(): string[] {
    return [...this.#records.keys()];
  }

  clear(): void {
    this.#records.clear();
  }

  /** The bans in force, and when the first of them ends. */
  standing(proxy: string, now: number): { readonly sets: readonly BanSet[]; readonly nextEnd: number } {
    const sets = new Map<string, BanSet & { readonly elements: Map<string, number | undefined> }>();
    let nextEnd = Infinity;
    for (const ban of this.#records.get(proxy)?.values() ?? []) {
      if (!isStanding(ban, now)) continue;
      const { family, bits, address, until } = ban;
      const name = `ban-${proxy}-${family}-${bits}`;
      const set = sets.get(name) ?? { name, family, bits, elements: new Map() };
      sets.set(name, set);
      set.elements.set(address, until);
      nextEnd = Math.min(nextEnd, until ?? Infinity);
    }
    return { sets: [...sets.values()].toSorted((a, b) => a.bits - b.bits), nextEnd };
  }
}

/** Control is not asked to spell it well: what goes to the kernel is spelt here. */
function read(value: unknown): Ban | undefined {
  const { network, until } = (value ?? {}) as Partial<BanRecord>;
  const cidr = typeof network === 'string' ? parseCidr(network) : undefined;
  if (!cidr) return undefined;
  const { family, base, prefix: bits } = cidr;
  const address = cidrText({ family, base, prefix: WIDTH[family] });
  return { network: cidrText(cidr), address, family, bits, ...(typeof until === 'number' && { until }) };
}
