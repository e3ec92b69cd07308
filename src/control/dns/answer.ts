/**
 * Decides the reply to a readable query: which names are ours, which records a name has, NODATA or NXDOMAIN with the SOA.
 * Pure: the record's content comes in as a Node. No recursion, no zone transfer, no DNSSEC. Called by respond.ts.
 */
import type { Answer } from 'dns-packet';
import type { Query } from './query.ts';
import type { Reply } from './reply.ts';
import { scopeOf } from './subnet.ts';
import { CLASS_IN, RCODE, TYPE } from './codes.ts';

/** The content of a name of the zone; empty where there are only names below it. */
export interface Node {
  readonly apex: boolean;
  readonly v4: readonly string[];
  readonly v6: readonly string[];
  readonly text: readonly string[];
  /** The addresses were chosen by where the asker is. */
  readonly steered: boolean;
}

export const EMPTY: Node = { apex: false, v4: [], v6: [], text: [], steered: false };

/** Seconds. limit: a dead edge is left within detection + TTL; resolvers clamp lower ones anyway. */
const TTL = 30;
/** Seconds a resolver may remember that there is nothing. limit: short, because people ask before they create. */
const NEGATIVE_TTL = 5;

/** The labels below the zone's own name, lower case; undefined where the name is not in the zone. */
export function below(labels: readonly string[], domain: string): string[] | undefined {
  const zone = domain.split('.');
  const lower = labels.map((label) => label.toLowerCase());
  const cut = lower.length - zone.length;
  if (cut < 0 || zone.some((label, i) => lower[cut + i] !== label)) return undefined;
  return lower.slice(0, cut);
}

export function refusal(rcode: number): Reply {
  return { rcode, authoritative: false, answers: [], authorities: [], scope: 0 };
}

/** `node` undefined: there is no such name. */
export function answer(query: Query, node: Node | undefined, zone: { domain: string; serial: number }): Reply {
  if (query.class !== CLASS_IN) return refusal(RCODE.REFUSED);
  const soa = startOfAuthority(zone);
  if (node === undefined) {
    return { rcode: RCODE.NXDOMAIN, authoritative: true, answers: [], authorities: [soa], scope: 0 };
  }
  const answers = records(query, node, soa, zone.domain);
  const authorities = answers.length === 0 ? [soa] : [];
  const subnet = node.steered ? query.edns?.subnet : undefined;
  const scope = subnet === undefined ? 0 : scopeOf(subnet);
  return { rcode: RCODE.NOERROR, authoritative: true, answers, authorities, scope };
}

function records(query: Query, node: Node, soa: Answer, domain: string): Answer[] {
  const name = query.labels.join('.');
  switch (query.type) {
    case TYPE.A:
      return node.v4.map((data) => ({ type: 'A', name, ttl: TTL, data }));
    case TYPE.AAAA:
      return node.v6.map((data) => ({ type: 'AAAA', name, ttl: TTL, data }));
    case TYPE.TXT:
      return node.text.map((data) => ({ type: 'TXT', name, ttl: TTL, data }));
    case TYPE.SOA:
      return node.apex ? [{ ...soa, name }] : [];
    case TYPE.NS:
      return node.apex ? [{ type: 'NS', name, ttl: 3600, data: nameServer(domain) }] : [];
    case TYPE.ANY:
      // RFC 8482 §4.2: the smallest answer that satisfies an ANY.
      return [{ type: 'HINFO', name, ttl: 3600, data: { cpu: 'RFC8482', os: '' } }];
    default:
      return [];
  }
}

function nameServer(domain: string): string {
  return `ns.${domain}`;
}

function startOfAuthority(zone: { domain: string; serial: number }): Answer {
  return {
    type: 'SOA',
    name: zone.domain,
    ttl: NEGATIVE_TTL,
    data: {
      mname: nameServer(zone.domain),
      rname: `hostmaster.${zone.domain}`,
      serial: zone.serial,
      refresh: 3600,
      retry: 600,
      expire: 604_800,
      minimum: NEGATIVE_TTL,
    },
  };
}
