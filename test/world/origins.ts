/** Origins as an edge would tell of them, for tests of those who read it. */
import type { OriginFact } from '../../src/domain/fact/health.ts';
import type { FoundOrigin } from '../../src/facts/readers.ts';
import { ZONE } from './actions.ts';

/** TCP 8080 of the address, named by rules, up since 1970. */
export function foundOrigin(edge: string, host: string, fact: Partial<OriginFact> = {}, isAlive = true): FoundOrigin {
  const { zone = ZONE, group = '', check = '' } = fact;
  const origin: OriginFact = {
    key: [zone, group, check, host, fact.origin].join(' '),
    zone,
    origin: `TCP ${host}:8080`,
    host,
    group,
    check,
    passive: true,
    slowStartSeconds: 0,
    state: 'up',
    since: 0,
    by: 'probe',
    reason: 'not checked yet',
    changes: 0,
    rules: 1,
    dials: 0,
    ...fact,
  };
  return { edge, site: `site-of-${edge}`, isAlive, origin };
}
