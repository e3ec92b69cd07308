/**
 * Query strings and forms carry everything as text; these read numbers and booleans from it. What is not such a text
 * comes back unchanged, so that the caller's type check refuses it.
 */
const DECIMAL = /^-?\d{1,20}(\.\d{1,20})?$/;

export function textToNumber(given: unknown): unknown {
  return typeof given === 'string' && DECIMAL.test(given) ? Number(given) : given;
}

/** wire: Node and Go send `true`, Python sends `True`; spec section 1.4. */
export function textToBoolean(given: unknown): unknown {
  if (given === 'true' || given === 'True') return true;
  if (given === 'false' || given === 'False') return false;
  return given;
}
