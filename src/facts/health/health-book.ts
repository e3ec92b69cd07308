/**
 * Checks and origins of all edges, as each told them last: for the API by site, for operators one by one, and for edges the
 * verdicts of others. Words of an edge that is silent count for nothing until it is heard of again. The door (../facts.ts)
 * passes reports in; a restart of control forgets all, and edges tell it again.
 */
import { checkName, type CheckFact, type HealthReport, type ProbeResult } from '../../domain/fact/health.ts';
import type { HealthView, SiteHealth } from '../../domain/load-balancer/health.ts';
import { hostKey } from '../../domain/origin-group/origin-state.ts';
import type { FoundOrigin, OriginFilter, OriginReader, PresenceReader } from '../readers.ts';
import { type CheckChange, EdgeHealth } from './edge-health.ts';
import { Verdicts } from './verdicts.ts';

type Finding = ProbeResult['verdict'];

/** An edge's word on a check, which as many of its facts give. */
interface Word {
  verdict: Finding;
  facts: number;
}

interface Teller {
  readonly health: EdgeHealth;
  readonly words: Map<string, Word>;
}

export class HealthBook implements HealthView, OriginReader {
  readonly verdicts = new Verdicts();
  readonly #presence: Pick<PresenceReader, 'isAlive'>;
  readonly #edges = new Map<string, Teller>();
  /** By owner, group and host. */
  readonly #asked = new Map<string, Map<EdgeHealth, Set<CheckFact>>>();

  constructor(presence: Pick<PresenceReader, 'isAlive'>) {
    this.#presence = presence;
  }

  /** How many facts were left out, because the edge tells of too many. */
  report(report: HealthReport): number {
    const { edge, site } = report;
    const teller = this.#edges.get(edge) ?? { health: new EdgeHealth(edge, site), words: new Map<string, Word>() };
    const { health } = teller;
    this.#edges.set(edge, teller);
    if (health.site !== site) {
      this.#speak(teller, false);
      health.site = site;
    }
    this.#speak(teller, this.#presence.isAlive(edge));
    const { changes, left } = health.take(report);
    for (const change of changes) this.#put(teller, change);
    return left;
  }

  /** Looks at which edges are alive. */
  look(): void {
    for (const teller of this.#edges.values()) this.#speak(teller, this.#presence.isAlive(teller.health.id));
  }

  forget(isEdge: (edge: string) => boolean): void {
    for (const [id, teller] of this.#edges) {
      if (isEdge(id)) continue;
      for (const before of teller.health.checks()) this.#put(teller, { before, after: undefined });
      this.#edges.delete(id);
    }
  }

  reported(owner: string, group: string, host: string): readonly SiteHealth[] {
    this.look();
    const sites = new Map<string, boolean>();
    for (const [{ isAlive, site }, facts] of this.#asked.get(askedAs({ owner, group, host })) ?? [])
      for (const { verdict } of facts)
        if (isAlive && verdict !== 'unknown') sites.set(site, sites.get(site) === true || verdict === 'healthy');
    return [...sites].map(([site, isHealthy]) => ({ site, isHealthy }));
  }

  find({ zone, group, host }: OriginFilter = {}): FoundOrigin[] {
    this.look();
    const isWanted = (origin: FoundOrigin['origin']): boolean =>
      (zone ?? origin.zone) === origin.zone &&
      (group ?? origin.group) === origin.group &&
      (host === undefined || hostKey(host) === hostKey(origin.host));
    return [...this.#edges.values()].flatMap(({ health }) => {
      const { id, site, isAlive } = health;
      return [...health.origins(zone, host)].filter(isWanted).map((origin) => ({ edge: id, site, isAlive, origin }));
    });
  }

  edges() {
    return [...this.#edges.values()].flatMap(({ health: { id, failOpen, times } }) =>
      times ? [{ edge: id, failOpen, times }] : [],
    );
  }

  #put(teller: Teller, { before, after }: CheckChange): void {
    const { health, words } = teller;
    const fact = (after ?? before)!;
    const key = askedAs(fact);
    const edges = this.#asked.get(key) ?? new Map<EdgeHealth, Set<CheckFact>>();
    const facts = edges.get(health) ?? new Set();
    if (before) facts.delete(before);
    if (after) facts.add(after);
    if (facts.size > 0) edges.set(health, facts);
    else edges.delete(health);
    if (edges.size > 0) this.#asked.set(key, edges);
    else this.#asked.delete(key);

    const check = checkName(fact.address, fact.check);
    const word = words.get(check);
    const count = (word?.facts ?? 0) + (after ? 1 : 0) - (before ? 1 : 0);
    const now = count === 0 ? undefined : (after?.verdict ?? word?.verdict);
    if (health.isAlive && now !== word?.verdict) this.verdicts.replace(check, health.site, word?.verdict, now);
    if (now === undefined) words.delete(check);
    else words.set(check, { verdict: now, facts: count });
  }

  /** Its words count from now on, or no longer. */
  #speak({ health, words }: Teller, isAlive: boolean): void {
    if (health.isAlive === isAlive) return;
    health.isAlive = isAlive;
    for (const [check, { verdict }] of words)
      this.verdicts.replace(check, health.site, isAlive ? undefined : verdict, isAlive ? verdict : undefined);
  }
}

function askedAs({ owner, group, host }: Pick<CheckFact, 'owner' | 'group' | 'host'>): string {
  return [owner, group, host].join('\n');
}
