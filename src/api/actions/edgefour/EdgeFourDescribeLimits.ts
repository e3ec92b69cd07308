import { isStanding } from '../../../domain/until.ts';
import { cloudTime } from '../../../shape/time.ts';
import { list, object, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { proxyOf, zoneOf } from '../../handling/lookups.ts';
import { LIMITS, showLimits } from '../../models/EdgeFourLimits.ts';

const COUNT = object(
  { Reason: string('Why.'), Count: unsigned('Packets, or connections refused.') },
  'What was given up.',
);
const RULE = object(
  {
    RuleId: string('Rule ID.'),
    Limits: object(LIMITS, 'Its own limits.'),
    Dropped: list(COUNT, 'What was given up since the edges started, all edges together.'),
  },
  'A rule.',
);
const BAN = object(
  { Network: string('Address or CIDR.'), Until: optional(string('Its end; absent: none.', { format: 'time' })) },
  'A ban.',
);

export const EdgeFourDescribeLimits = action({
  summary: 'Show limits and bans of an instance, and per rule what they gave up.',
  access: 'read',
  touches: 'zone',
  service: 'edgefour',
  request: { ZoneId: string('Zone ID.'), ProxyId: string('L4 proxy instance ID.') },
  response: {
    Limits: object(LIMITS, 'Limits of each rule that does not say.'),
    Rules: list(RULE, 'The rules.'),
    Bans: list(BAN, 'Bans that hold.'),
  },
  errors: ['ResourceNotFound'],
  example: {
    title: 'The limits of an instance',
    request: { ZoneId: 'zone-24wjy25v1cwi', ProxyId: 'sid-2qwk27xf7j9g' },
    response: {
      Limits: { NewPerSecond: 20 },
      Rules: [{ RuleId: 'rule-2qzkbvx3hxl1', Limits: {}, Dropped: [{ Reason: 'rate', Count: 17 }] }],
      Bans: [{ Network: '192.0.2.0/24', Until: '2026-01-31T08:00:00+00:00' }],
    },
  },
  handle(tx, { ZoneId, ProxyId }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    const bans = tx.list(keys.bans(proxy.id)).map(({ value }) => value);
    return {
      Limits: showLimits(proxy.limits),
      Rules: proxy.rules.map(({ id, options }) => ({
        RuleId: id,
        Limits: showLimits(options?.limits),
        Dropped: Object.entries(tx.around.facts.counters.dropped(id)).map(([Reason, Count]) => ({ Reason, Count })),
      })),
      Bans: bans
        .filter((ban) => isStanding(ban, tx.now))
        .map(({ network, until }) => ({ Network: network, ...(until !== undefined && { Until: cloudTime(until) }) })),
    };
  },
});
