/** `edgefour policy`: CAM policy documents, which say what the users of key pairs may do. */
import { readFileSync } from 'node:fs';
import { EdgeFourDeletePolicy } from '../../api/actions/edgefour/EdgeFourDeletePolicy.ts';
import { EdgeFourListPolicies } from '../../api/actions/edgefour/EdgeFourListPolicies.ts';
import { EdgeFourPutPolicy } from '../../api/actions/edgefour/EdgeFourPutPolicy.ts';
import { Usage } from '../../config/usage.ts';
import { verb, verbCommand } from '../client/verbs.ts';

export const command = verbCommand(
  'policy',
  'Put, list and delete CAM policies.',
  {},
  {
    put: verb('EdgeFourPutPolicy', EdgeFourPutPolicy, {
      usage: '<Name> <FILE with the CAM document, or - for standard input>',
      words: [2, 2],
      fields: ({ words: [Name = '', file = ''] }) => ({ Name, Document: documentIn(file) }),
    }),
    list: verb('EdgeFourListPolicies', EdgeFourListPolicies, { fields: () => ({ Limit: 1_000 }) }),
    delete: verb('EdgeFourDeletePolicy', EdgeFourDeletePolicy, {
      usage: '<Name>',
      words: [1, 1],
      fields: ({ words: [Name = ''] }) => ({ Name }),
    }),
  },
);

const STANDARD_INPUT = 0;

function documentIn(file: string): string {
  try {
    return readFileSync(file === '-' ? STANDARD_INPUT : file, 'utf8');
  } catch (error) {
    throw new Usage(`Can't read ${file} (${(error as NodeJS.ErrnoException).code}).`);
  }
}
