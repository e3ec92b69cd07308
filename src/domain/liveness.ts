/**
 * Notes for a person about the edges behind one instance, one sentence each: which of its sites are silent, and whom a
 * change waits for. Pure; EdgeFourDescribeStatus shows it beside notes.ts.
 */
import { cloudTime } from '../shape/time.ts';
import type { L4Proxy } from './l4-proxy/l4-proxy.ts';
import { serves, type Site } from './site/site.ts';

export interface KnownEdge {
  readonly id: string;
  readonly site: string;
  readonly alive: boolean;
  readonly applied: number;
  readonly seenAt: number;
}

export type EdgesBySite = ReadonlyMap<string, readonly KnownEdge[]>;

/** limit: edges named in one sentence. */
const NAMED = 5;

/** An instance's sites without a live edge. Of a site that no edge has ever joined nothing is known. */
export function silenceNotes({ entries }: Pick<L4Proxy, 'entries'>, edges: EdgesBySite): string[] {
  const joined = Object.keys(entries).filter((site) => (edges.get(site) ?? []).length > 0);
  const silent = joined.filter((site) => !edges.get(site)?.some(({ alive }) => alive));
  if (silent.length === 0) return [];
  if (silent.length < joined.length)
    return silent.map((site) => `site ${site} is out of DNS: ${named(edges.get(site) ?? [])}`);
  const all = silent.flatMap((site) => edges.get(site) ?? []);
  return [
    `no edge that serves it is alive: ${named(all)}; the status is what they reported last, and DNS answers all the same`,
  ];
}

/** Live edges that serve it and have not applied the revision. */
export function waitNotes(
  { area }: Pick<L4Proxy, 'area'>,
  revision: number,
  sites: readonly Site[],
  edges: EdgesBySite,
): string[] {
  const serving = sites.filter((site) => serves(site, area)).flatMap(({ id }) => edges.get(id) ?? []);
  if (serving.length === 0) return ['no edge that could serve it has joined'];
  const behind = serving.filter(({ alive, applied }) => alive && applied < revision);
  if (behind.length === 0) return [];
  const told = behind.slice(0, NAMED).map(({ id, applied }) => `edge ${id} (at revision ${applied})`);
  return [`revision ${revision} waits for ${told.join(', ')}${more(behind)}`];
}

function named(silent: readonly KnownEdge[]): string {
  const told = silent.slice(0, NAMED).map(({ id, seenAt }) => `edge ${id} is silent since ${cloudTime(seenAt)}`);
  return `${told.join(', ')}${more(silent)}`;
}

const more = ({ length }: readonly KnownEdge[]): string => (length > NAMED ? ` and ${length - NAMED} more` : '');
