/** `edgefour fault`: the next calls of an action fail or wait on demand, so that CI can test what clients do then. */
import { EdgeFourAddFault } from '../../api/actions/edgefour/EdgeFourAddFault.ts';
import { EdgeFourClearFaults } from '../../api/actions/edgefour/EdgeFourClearFaults.ts';
import { EdgeFourListFaults } from '../../api/actions/edgefour/EdgeFourListFaults.ts';
import { Usage } from '../../config/usage.ts';
import { numberFrom, verb, verbCommand } from '../client/verbs.ts';

const FLAGS = {
  times: { value: 'N', help: 'add: how many calls; 1 by default.' },
  delay: { value: 'MS', help: 'add: how long each waits first, in milliseconds.' },
};

export const command = verbCommand(
  'fault',
  'Make the next calls of an action fail or wait.',
  FLAGS,
  {
    add: verb('EdgeFourAddFault', EdgeFourAddFault, {
      usage: '<Action> [Code] [--times N] [--delay MS]',
      words: [1, 2],
      fields({ words: [ActionName = '', Code], flag }) {
        const times = numberFrom('times', flag('times'));
        const delay = numberFrom('delay', flag('delay'));
        if (Code === undefined && delay === undefined) throw new Usage('Give a code, a --delay, or both.');
        return {
          ActionName,
          ...(Code !== undefined && { Code }),
          ...(times !== undefined && { Times: times }),
          ...(delay !== undefined && { DelayMs: delay }),
        };
      },
    }),
    list: verb('EdgeFourListFaults', EdgeFourListFaults, { fields: () => ({}) }),
    clear: verb('EdgeFourClearFaults', EdgeFourClearFaults, { fields: () => ({}) }),
  },
  ['Without a code, calls only wait.'],
);
