import type { OriginFact } from '../../../domain/fact/health.ts';
import { isStanding } from '../../../domain/until.ts';
import { refuse } from '../../../faults/fault.ts';
import { list, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { type Reads, zoneOf } from '../../handling/lookups.ts';
import { originShares } from '../../handling/origin-shares.ts';
import { originsAt, viewOf } from '../../handling/origin-views.ts';
import { zonesSeen } from '../../handling/zones.ts';
import { ORIGIN, showOrigin } from '../../models/EdgeFourOrigin.ts';
import { pageFields, pageOf } from '../../models/Filter.ts';

export const EdgeFourDescribeOrigins = action({
  summary: 'Show the origins that rules lead to: state, since when, by whom and why, probes and share of connections.',
  access: 'read',
  touches: 'seen',
  service: 'edgefour',
  request: {
    ZoneId: optional(string('Zone ID; not sent, all zones of the account.')),
    OriginGroupId: optional(string('Origin group ID; not sent, all groups, and what rules name themselves.')),
    Origin: optional(string('Address or domain name, as rules or origin groups name it; not sent, all.')),
    ...pageFields(),
  },
  response: {
    TotalCount: unsigned('How many origins edges have told of.'),
    Origins: list(ORIGIN, 'The origins, in order of zone, group and origin.'),
  },
  errors: ['ResourceNotFound'],
  example: {
    title: 'The origins of one group',
    request: { OriginGroupId: 'og-30l5kv5z2bse' },
    response: {
      TotalCount: 1,
      Origins: [
        {
          ZoneId: 'zone-24wjy25v1cwi',
          Origin: 'TCP 10.0.0.8:443',
          Host: '10.0.0.8',
          OriginGroupId: 'og-30l5kv5z2bse',
          CheckedFor: 'lb-2qwk27xf7j9g',
          State: 'down',
          SinceTime: '2026-01-31T08:00:00+00:00',
          By: 'probe',
          Reason: 'connection refused',
          Rules: 1,
          Share: 100,
          Changes: 1,
          Dials: 1042,
          Probes: { P50Ms: 0.4, P99Ms: 3.1, Tries: 8640 },
          EdgeCount: 1,
          UpCount: 0,
          Edges: [
            {
              EdgeId: 'edge-local',
              Site: 'local',
              Alive: true,
              State: 'down',
              SinceTime: '2026-01-31T08:00:00+00:00',
              By: 'probe',
              Reason: 'connection refused',
              Changes: 1,
              Dials: 1042,
              Probes: { P50Ms: 0.4, P99Ms: 3.1, Tries: 8640 },
            },
          ],
        },
      ],
    },
  },
  handle(tx, { ZoneId, OriginGroupId, Origin, ...page }) {
    const zones = (ZoneId === undefined ? zonesSeen(tx) : [tx.must(zoneOf(tx, ZoneId))]).map(({ id }) => id);
    const group = OriginGroupId === undefined ? undefined : tx.must(groupIn(tx, zones, OriginGroupId));
    const hosts = Origin === undefined ? group?.records.map(({ host }) => host) : [Origin];
    const origins = (group ? [group.zone] : zones)
      .flatMap((zone) => originsAt(tx, zone, hosts && new Set(hosts)))
      .map((found) => ({ found, place: placeOf(found[0]!.origin) }))
      .filter(({ found }) => group === undefined || found[0]?.origin.group === group.id)
      .sort((a, b) => (a.place < b.place ? -1 : 1));
    const { offset, limit } = pageOf(page);
    const shareOf = originShares(tx);
    return {
      TotalCount: origins.length,
      Origins: origins.slice(offset, offset + limit).map(({ found }) => {
        const origin = viewOf(found);
        const set = tx.peek(keys.originState(origin.word.zone, origin.word.host));
        return showOrigin(origin, set && isStanding(set, tx.now) ? set : undefined, shareOf(origin));
      }),
    };
  },
});

function groupIn(tx: Reads, zones: readonly string[], id: string) {
  for (const zone of zones) {
    const group = tx.peek(keys.originGroup(zone, id));
    if (group) return group;
  }
  return refuse('ResourceNotFound', `There is no origin group ${id}.`);
}

/** In whose order they are shown; no two are the same. */
function placeOf({ zone, group, host, origin, key }: OriginFact): string {
  return [zone, group, host, origin, key].join('\n');
}
