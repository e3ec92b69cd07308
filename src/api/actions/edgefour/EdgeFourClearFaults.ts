import { action } from '../../action.ts';

export const EdgeFourClearFaults = action({
  summary: 'Forget all faults that are still to strike.',
  access: 'write',
  touches: 'account',
  service: 'edgefour',
  request: {},
  response: {},
  errors: [],
  example: { title: 'Clear the faults', request: {}, response: {} },
  handle(tx) {
    tx.around.faults.clear();
    return {};
  },
});
