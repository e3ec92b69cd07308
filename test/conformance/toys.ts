/** Actions with no meaning, for tests of the wire alone: every kind of field, and handlers that do as they are told. */
import { action } from '../../src/api/action.ts';
import { Fault } from '../../src/faults/fault.ts';
import {
  boolean,
  float,
  integer,
  list,
  object,
  oneOf,
  onOff,
  optional,
  string,
  unsigned,
} from '../../src/shape/shape.ts';
import { type Key, keys } from '../../src/store/records.ts';

const text = optional(string('Any text.'));

/** Answers what it got, as JSON text. */
export const Echo = action({
  summary: 'Answer the request.',
  access: 'read',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyName: optional(string('A name.')),
    Name: optional(string('A name.', { pattern: /^[a-z]+$/, fault: 'InvalidParameter.ProxyNameNotMatched' })),
    Area: optional(oneOf(['mainland', 'overseas'], 'Area.')),
    Ipv6: optional(onOff('IPv6.')),
    Mode: optional(oneOf(['A', 'B'], 'Empty means absent.', { emptyIsAbsent: true })),
    Offset: optional(unsigned('Offset.')),
    Limit: optional(integer('Limit.', { min: 1, max: 1000 })),
    Share: optional(float('A share.')),
    Flag: optional(boolean('A flag.')),
    Since: optional(string('A time.', { format: 'time' })),
    Tag: optional(string('A tag.', { min: 1, max: 5 })),
    Filters: optional(
      list(
        object(
          { Name: string('Name.'), Values: list(string('Value.'), 'Values.', { max: 20 }), Note: text },
          'A filter.',
        ),
        'Filters.',
      ),
    ),
  },
  response: { Request: string('The request, as JSON text.') },
  errors: [],
  example: { title: 'Echo', request: { ZoneId: 'zone-1' }, response: { Request: '{"ZoneId":"zone-1"}' } },
  handle: (_, request) => ({ Request: JSON.stringify(request) }),
});

/** The toys keep their state in a zone's record, the one key of the world they need. */
const counter = (zone: string): Key<{ count: number }> => keys.zone(zone) as Key<unknown> as Key<{ count: number }>;
const ZoneId = string('Zone ID.');

/** Adds one, in a unit of work. */
export const Count = action({
  summary: 'Count up.',
  access: 'write',
  touches: 'zone',
  request: { ZoneId },
  response: { Count: integer('The new count.') },
  errors: [],
  example: { title: 'Count', request: { ZoneId: 'zone-1' }, response: { Count: 1 } },
  handle(tx, request) {
    const count = (tx.get(counter(request.ZoneId))?.count ?? 0) + 1;
    tx.put(counter(request.ZoneId), { count });
    return { Count: count };
  },
});

/** Writes, then fails with its one code, or throws something that is no fault. */
export const Fail = action({
  summary: 'Fail.',
  access: 'write',
  touches: 'zone',
  request: { ZoneId },
  response: {},
  errors: ['OperationDenied.L4LackOfResources'],
  example: { title: 'Fail', request: { ZoneId: 'zone-1' }, response: {} },
  handle(tx, request) {
    tx.put(counter(request.ZoneId), { count: 1 });
    if (request.ZoneId === 'throw') throw new TypeError('not a fault');
    throw tx.refuse('OperationDenied.L4LackOfResources');
  },
});

/** Says it only reads, and writes. */
export const Lie = action({
  summary: 'Write in a read action.',
  access: 'read',
  touches: 'zone',
  request: { ZoneId },
  response: {},
  errors: [],
  example: { title: 'Lie', request: { ZoneId: 'zone-1' }, response: {} },
  handle(tx, request) {
    tx.put(counter(request.ZoneId), { count: 1 });
    return {};
  },
});

/** Fails with a code it does not declare, as untyped code could. */
export const Undeclared = action({
  summary: 'Fail in an undeclared way.',
  access: 'read',
  touches: 'zone',
  request: { ZoneId },
  response: {},
  errors: [],
  example: { title: 'Fail', request: { ZoneId: 'zone-1' }, response: {} },
  handle() {
    throw new Fault('OperationDenied.L4LackOfResources');
  },
});
