import { list, object, optional, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { EdgeFourPolicy, shownPolicy } from '../../models/EdgeFourPolicy.ts';

export const EdgeFourListPolicies = action({
  summary: 'List the CAM policies of the account.',
  access: 'read',
  touches: 'account',
  service: 'edgefour',
  request: {
    Offset: optional(unsigned('Skip this many; 0 by default.')),
    Limit: optional(unsigned('At most this many; 20 by default.', { max: 1000 })),
  },
  response: {
    TotalCount: unsigned('How many there are.'),
    Policies: list(object(EdgeFourPolicy, 'A policy.'), 'The policies, in order of their names.'),
  },
  errors: [],
  example: {
    title: 'List the policies',
    request: {},
    response: {
      TotalCount: 1,
      Policies: [
        {
          Name: 'read-only',
          Document: '{"version":"2.0","statement":[{"effect":"allow","action":["teo:Describe*"],"resource":["*"]}]}',
        },
      ],
    },
  },
  handle(tx, { Offset = 0, Limit = 20 }) {
    const prefix = keys.policies(tx.caller.account);
    const page = tx.list(prefix, { offset: Offset, limit: Limit });
    return { TotalCount: tx.count(prefix), Policies: page.map(({ value }) => shownPolicy(value)) };
  },
});
