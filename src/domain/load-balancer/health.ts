/**
 * The health of origins as the API tells it, from what sites say of them. Pure. Called by the model of origin health.
 * Source: spec sections 8.2 and 19.
 */
import type { LoadBalancer } from './load-balancer.ts';

export const HEALTH_WORDS = ['Healthy', 'Unhealthy', 'Undetected'] as const;
type HealthWord = (typeof HEALTH_WORDS)[number];

/** One site's word about an origin. A site that does not know says nothing. */
export interface SiteHealth {
  readonly site: string;
  readonly isHealthy: boolean;
}

/** The reports of sites so far; facts/facts.ts gives it. */
export interface HealthView {
  /** Of each site that knows, once. `owner`: the balancer or group that has the origin of `group` checked. */
  reported(owner: string, group: string, host: string): readonly SiteHealth[];
}

/** Whose check says how the origins of a balancer's group are: its own, or else the group's. */
export function checkOwner({ id, checker }: Pick<LoadBalancer, 'id' | 'checker'>, group: string): string {
  return checker ? id : group;
}

/** An origin is unhealthy where more than half of the sites that know say so. */
export function isIllForMost(ill: number, known: number): boolean {
  return ill * 2 > known;
}

export function overall(reports: readonly SiteHealth[]): HealthWord {
  if (reports.length === 0) return 'Undetected';
  const ill = reports.filter(({ isHealthy }) => !isHealthy).length;
  return isIllForMost(ill, reports.length) ? 'Unhealthy' : 'Healthy';
}

interface OriginReports {
  readonly host: string;
  readonly reports: readonly SiteHealth[];
}

/** How one site sees a group: each of its origins, and all of them together. */
interface SiteView {
  readonly site: string;
  readonly together: HealthWord;
  readonly origins: readonly { readonly host: string; readonly word: HealthWord }[];
}

/** Of each site that knows any origin of the group. Together they are healthy only where all of them are. */
export function siteViews(group: readonly OriginReports[]): readonly SiteView[] {
  const sites = new Set(group.flatMap(({ reports }) => reports.map(({ site }) => site)));
  return [...sites].sort().map((site) => {
    const origins = group.map(({ host, reports }) => ({
      host,
      word: overall(reports.filter((report) => report.site === site)),
    }));
    const words = new Set(origins.map(({ word }) => word));
    const together = words.has('Unhealthy') ? 'Unhealthy' : words.has('Undetected') ? 'Undetected' : 'Healthy';
    return { site, together, origins };
  });
}
