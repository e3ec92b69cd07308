/** The running control as extension actions see it: its version, faults on demand, what edges reported. */
import type { Operator } from '../api/transaction.ts';
import { ACTIONS } from '../api/actions/index.ts';
import { InjectedFaults } from '../api/injected-faults.ts';
import type { Acks } from '../facts/acks.ts';

export function createOperator(version: string, acks: Acks): Operator {
  const faults = new InjectedFaults(Object.keys(ACTIONS));
  return {
    version,
    addFault: (fault) => faults.addFault(fault),
    listFaults: () => faults.listFaults(),
    clearFaults: () => faults.clearFaults(),
    takeFault: (action) => faults.takeFault(action),
    placements: (rules) => acks.placements(rules),
    edges: () => acks.edges(),
  };
}
