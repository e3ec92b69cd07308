/** `edgefour policy`: CAM policy documents, which say what the users of key pairs may do. */
import { readFileSync } from 'node:fs';
import { EdgeFourDeletePolicy } from '../../api/actions/edgefour/EdgeFourDeletePolicy.ts';
import { EdgeFourListPolicies } from '../../api/actions/edgefour/EdgeFourListPolicies.ts';
import { EdgeFourPutPolicy } from '../../api/actions/edgefour/EdgeFourPutPolicy.ts';
import { Usage } from '../../config/usage.ts';
import { verbCommand } from '../verbs.ts';

export const command = verbCommand(
  'policy',
  'Put, list and delete CAM policies.',
  {},
  {
    put: [
      'EdgeFourPutPolicy',
      {
        usage: '<Name> <FILE with the CAM document, or - for standard input>',
        words: [2, 2],
        action: EdgeFourPutPolicy,
        fields: ({ words: [Name, file = ''] }) => ({ Name, Document: documentIn(file) }),
      },
    ],
    list: [
      'EdgeFourListPolicies',
      { usage: '', words: [0, 0], action: EdgeFourListPolicies, fields: () => ({ Limit: 1_000 }) },
    ],
    delete: [
      'EdgeFourDeletePolicy',
      { usage: '<Name>', words: [1, 1], action: EdgeFourDeletePolicy, fields: ({ words: [Name] }) => ({ Name }) },
    ],
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
