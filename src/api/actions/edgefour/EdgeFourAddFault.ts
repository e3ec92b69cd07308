import { CATALOGUE, type FaultCode } from '../../../faults/catalogue.ts';
import { optional, string, unsigned } from '../../../shape/shape.ts';
import { action } from '../../action.ts';

export const EdgeFourAddFault = action({
  summary: 'Make the next calls of an action fail with a code, or only take longer: to test what clients do then.',
  access: 'write',
  touches: 'account',
  service: 'edgefour',
  request: {
    ActionName: string('The action to strike, e.g. `CreateL4Proxy`.', { pattern: /^[A-Z][A-Za-z0-9]{1,63}$/ }),
    Code: optional(string('Any code of the error reference; absent, calls only wait.')),
    Times: optional(unsigned('How many calls to strike; 1 by default.', { min: 1, max: 1_000_000 })),
    DelayMs: optional(unsigned('How long each waits first, in milliseconds; 0 by default.', { max: 300_000 })),
  },
  response: {},
  errors: ['InvalidParameterValue', 'LimitExceeded'],
  example: {
    title: 'Two creates in a row run out of addresses',
    request: { ActionName: 'CreateL4Proxy', Code: 'OperationDenied.L4LackOfResources', Times: 2 },
    response: {},
  },
  handle(tx, { ActionName, Code, Times = 1, DelayMs = 0 }) {
    if (Code !== undefined && !isCode(Code)) {
      throw tx.refuse('InvalidParameterValue', `There is no error code \`${Code}\`.`, { parameter: 'Code' });
    }
    if (Code === undefined && DelayMs === 0) {
      throw tx.refuse('InvalidParameterValue', 'Give a `Code`, a `DelayMs`, or both.');
    }
    tx.around.faults.add({
      action: ActionName,
      ...(Code !== undefined && { code: Code }),
      times: Times,
      delayMs: DelayMs,
    });
    return {};
  },
});

function isCode(text: string): text is FaultCode {
  return Object.hasOwn(CATALOGUE, text);
}
