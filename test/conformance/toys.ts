/** Actions with no meaning, for tests of the wire alone: every kind of field, and handlers that do as they are told. */
import { action } from '../../src/api/action.ts';
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

const text = optional(string('Any text.'));

/** Answers what it got, as JSON text. */
export const Echo = action({
  summary: 'Answer the request.',
  access: 'read',
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
