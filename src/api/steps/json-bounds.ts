/**
 * Whether JSON that has not been parsed yet asks for more than the budgets of config/budgets.ts allow: bytes, depth, and how
 * many values there are in it. Reads each byte once and decides nothing else; JSON.parse says what is not JSON. Called by
 * parse.ts.
 */
import { BUDGETS } from '../../config/budgets.ts';
import { OverBudget } from '../over-budget.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Throws OverBudget. */
export function boundJson(bytes: Uint8Array): void {
  if (bytes.length > BUDGETS['action-body'].most) throw new OverBudget('action-body');
  let depth = 0;
  // Each opening begins a first value, each comma another one.
  let values = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      for (i++; i < bytes.length && bytes[i] !== QUOTE; i++) if (bytes[i] === BACKSLASH) i++;
    } else if (byte === COMMA) {
      values++;
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      values++;
      if (++depth > BUDGETS['json-depth'].most) throw new OverBudget('json-depth', 'InvalidParameter');
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      depth--;
    } else continue;
    if (values > BUDGETS['json-values'].most) throw new OverBudget('json-values');
  }
}
