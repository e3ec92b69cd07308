import { replacement } from '../../../domain/account/grant.ts';
import { readPolicyDocument } from '../../../domain/account/policy-document.ts';
import { string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { excessOf } from '../../handling/grants.ts';
import { NAME } from '../../models/EdgeFourPolicy.ts';

export const EdgeFourPutPolicy = action({
  summary: 'Create a CAM policy or replace it. It counts for every key that names it, from the next call on.',
  access: 'write',
  touches: 'account',
  service: 'edgefour',
  request: {
    Name: string('Name of the policy.', { pattern: NAME }),
    Document: string('The CAM document, as JSON text.', { min: 2 }),
  },
  response: {},
  errors: ['InvalidParameterValue', 'UnauthorizedOperation.CamUnauthorized'],
  example: {
    title: 'Allow looking at one zone',
    request: {
      Name: 'read-only',
      Document:
        '{"version":"2.0","statement":[{"effect":"allow","action":["teo:Describe*"],"resource":["qcs::teo::uin/100000000001:zone/zone-3kq782jghthh"]}]}',
    },
    response: {},
  },
  handle(tx, { Name, Document }) {
    const read = readPolicyDocument(Document);
    if ('wrong' in read) throw tx.refuse('InvalidParameterValue', read.wrong, { parameter: 'Document' });
    const { account, user } = tx.caller;
    const before = tx.get(keys.policy(account, Name))?.document;
    const excess = excessOf(tx, [replacement(read.document, before, account)]);
    if (excess !== undefined)
      throw tx.refuse('UnauthorizedOperation.CamUnauthorized', `\`${user}\` can't give what it has not: ${excess}.`);
    tx.put(keys.policy(account, Name), { name: Name, account, document: read.document });
    return {};
  },
});
