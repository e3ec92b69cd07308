/**
 * What sites, and all of them together, say of each check. Pure counting: an edge's word enters and leaves, and asking costs
 * the sites that have the check. It knows no edge and no time. health-book.ts fills it; the streams of edges (control/link) read
 * it.
 */
import type { OthersVerdict, ProbeResult } from '../../domain/fact/health.ts';
import { isIllForMost } from '../../domain/load-balancer/health.ts';
import { Signal } from '../../lib/signal.ts';

type Finding = ProbeResult['verdict'];

/** How many edges of a site say so. */
type Tally = Record<Finding, number>;

export class Verdicts {
  /** The check may be another thing now: for one site, or for all where it names none. */
  readonly changed = new Signal<{ readonly check: string; readonly site?: string }>();
  /** By check (its address and the key of its settings), then by site. */
  readonly #tallies = new Map<string, Map<string, Tally>>();

  /** An edge of the site says another thing; undefined: nothing at all. */
  replace(check: string, site: string, before: Finding | undefined, after: Finding | undefined): void {
    const ofFleet = this.#ofFleet(check);
    const ofSite = this.#ofSite(check, site);
    this.#count(check, site, before, -1);
    this.#count(check, site, after, 1);
    const { verdict, overrules } = this.#ofFleet(check);
    if (verdict !== ofFleet.verdict || overrules !== ofFleet.overrules) this.changed.tell({ check });
    else if (this.#ofSite(check, site) !== ofSite) this.changed.tell({ check, site });
  }

  /** For edges of the site. `unknown`: by the site, whose edges can't tell; by the fleet, where nobody says anything. */
  of(site: string, check: string): OthersVerdict {
    const fleet = this.#ofFleet(check);
    const verdict = this.#ofSite(check, site);
    const isOfFleet =
      fleet.overrules || verdict === undefined || (verdict === 'unknown' && fleet.verdict !== 'unknown');
    return isOfFleet ? { check, verdict: fleet.verdict, by: 'fleet' } : { check, verdict, by: 'site' };
  }

  /** Those that any edge has a word about. */
  checks(): IterableIterator<string> {
    return this.#tallies.keys();
  }

  /** Undefined: none of its edges says anything. */
  #ofSite(check: string, site: string): Finding | undefined {
    const tally = this.#tallies.get(check)?.get(site);
    return tally && findingOf(tally);
  }

  /** What most sites say; where it is ill, and of several, that is the word for each of them. */
  #ofFleet(check: string): { readonly verdict: Finding; readonly overrules: boolean } {
    let ill = 0;
    let known = 0;
    for (const tally of this.#tallies.get(check)?.values() ?? []) {
      const finding = findingOf(tally);
      if (finding !== 'unknown') known += 1;
      if (finding === 'unhealthy') ill += 1;
    }
    if (known === 0) return { verdict: 'unknown', overrules: false };
    const isIll = isIllForMost(ill, known);
    return { verdict: isIll ? 'unhealthy' : 'healthy', overrules: isIll && known > 1 };
  }

  #count(check: string, site: string, finding: Finding | undefined, by: 1 | -1): void {
    if (finding === undefined) return;
    const sites = this.#tallies.get(check) ?? new Map<string, Tally>();
    const tally = sites.get(site) ?? { healthy: 0, unhealthy: 0, unknown: 0 };
    tally[finding] += by;
    if (tally.healthy + tally.unhealthy + tally.unknown > 0) sites.set(site, tally);
    else sites.delete(site);
    if (sites.size > 0) this.#tallies.set(check, sites);
    else this.#tallies.delete(check);
  }
}

/** A site finds ill what each of its edges that knows finds ill. */
function findingOf({ healthy, unhealthy }: Tally): Finding {
  if (healthy + unhealthy === 0) return 'unknown';
  return healthy > 0 ? 'healthy' : 'unhealthy';
}
