import { type ActiveStatus, zoneStatus } from '../../../domain/zone/status.ts';
import type { Zone } from '../../../domain/zone/zone.ts';
import { integer, list, oneOf, optional } from '../../../shape/shape.ts';
import { action } from '../../action.ts';
import { advancedFilters, type Matched, readAdvancedFilters } from '../../models/AdvancedFilter.ts';
import { pageOf } from '../../models/Filter.ts';
import { showZone, ZONE } from '../../models/Zone.ts';
import { activeStatusOf, plansOfCaller, zonesByPlan, zonesSeen } from '../../handling/zones.ts';

const FUZZY = ['zone-name', 'alias-zone-name'] as const;
const FILTERS = [...FUZZY, 'zone-type', 'zone-id', 'status', 'tag-key', 'tag-value'] as const;

/** The orders of zones. wire: uses are not counted here, so use-time is when the zone last changed. */
const ORDERS = {
  type: (zone) => zone.type,
  area: (zone) => zone.area,
  'create-time': (zone) => zone.createdAt,
  'zone-name': (zone) => zone.name,
  'use-time': (zone) => zone.modifiedAt,
  'active-status': (_, active) => active,
} as const satisfies Record<string, (zone: Zone, active: ActiveStatus | '') => string | number>;
type Order = keyof typeof ORDERS;

export const DescribeZones = action({
  summary: 'List the zones of the account.',
  access: 'read',
  touches: 'seen',
  request: {
    Offset: optional(integer('How many to skip; default 0.', { min: 0 })),
    Limit: optional(integer('How many to return; default 20, at most 100.', { min: 0, max: 100 })),
    Filters: advancedFilters(FILTERS),
    Order: optional(oneOf(Object.keys(ORDERS) as Order[], 'What to sort by; default create-time.')),
    Direction: optional(oneOf(['asc', 'desc'], 'Direction of sorting; default desc.')),
  },
  response: {
    TotalCount: integer('How many zones match.'),
    Zones: list(ZONE, 'The zones.'),
  },
  errors: ['InvalidParameterValue'],
  example: {
    title: 'Look for a zone that does not exist',
    request: { Filters: [{ Name: 'zone-id', Values: ['zone-000000000000'] }] },
    response: { TotalCount: 0, Zones: [] },
  },
  async handle(tx, { Filters, Order = 'create-time', Direction = 'desc', ...page }) {
    const passes = tx.must(readAdvancedFilters(Filters, FILTERS, FUZZY));
    const matching = zonesSeen(tx).filter((zone) => passes(fieldsOf(zone)));
    // Instances are looked through for the zones that are shown, and for all only where they are sorted by it.
    const actives = new Map<string, ActiveStatus>();
    const ask = async (zones: readonly Zone[]): Promise<void> => {
      for (const zone of zones) if (!actives.has(zone.id)) actives.set(zone.id, await activeStatusOf(tx, zone));
    };
    if (Order === 'active-status') await ask(matching);
    const by = (zone: Zone): string | number => ORDERS[Order](zone, actives.get(zone.id) ?? '');
    const sign = Direction === 'asc' ? 1 : -1;
    const sorted = matching.sort((a, b) => sign * compare(by(a), by(b)) || compare(a.id, b.id));
    const { offset, limit } = pageOf(page);
    const shown = sorted.slice(offset, offset + limit);
    await ask(shown);
    const plans = new Map(plansOfCaller(tx).map((plan) => [plan.id, plan]));
    const bound = zonesByPlan(tx);
    return {
      TotalCount: matching.length,
      Zones: shown.map((zone) => {
        const record = plans.get(zone.planId ?? '');
        return showZone(
          zone,
          record && { record, zones: bound.get(record.id)?.length ?? 0 },
          actives.get(zone.id) ?? 'inactive',
          tx.now,
        );
      }),
    };
  },
});

function fieldsOf(zone: Zone): Matched<(typeof FILTERS)[number]> {
  return {
    'zone-name': [zone.name],
    'alias-zone-name': [zone.alias],
    // wire: only here a zone without a domain is called partialComposite.
    'zone-type': zone.type === 'noDomainAccess' ? [zone.type, 'partialComposite'] : [zone.type],
    'zone-id': [zone.id],
    status: [zoneStatus(zone)],
    'tag-key': zone.tags.map(({ key }) => key),
    'tag-value': zone.tags.map(({ value }) => value),
  };
}

function compare(a: string | number, b: string | number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
