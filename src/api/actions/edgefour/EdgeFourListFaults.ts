import { list, object } from '../../../shape/shape.ts';
import { action } from '../../action.ts';
import { EdgeFourFault } from '../../models/EdgeFourFault.ts';

export const EdgeFourListFaults = action({
  summary: 'List the faults that are still to strike.',
  access: 'read',
  touches: 'account',
  service: 'edgefour',
  request: {},
  response: { Faults: list(object(EdgeFourFault, 'A fault.'), 'The faults, in the order they strike in.') },
  errors: [],
  example: {
    title: 'List the faults',
    request: {},
    response: {
      Faults: [{ ActionName: 'CreateL4Proxy', Code: 'OperationDenied.L4LackOfResources', Times: 2, DelayMs: 0 }],
    },
  },
  handle(tx) {
    const faults = tx.around.faults.list();
    return {
      Faults: faults.map((fault) => ({
        ActionName: fault.action,
        Code: fault.code ?? '',
        Times: fault.times,
        DelayMs: fault.delayMs,
      })),
    };
  },
});
