/**
 * Whether an answer shows defaults, by caller. The cloud's models call most fields not nullable and typed clients
 * dereference them, so answers carry the defaults of fields that were not sent; a setting (EDGEFOUR_DEFAULTS) turns it off.
 * Called by actions that describe.
 */
import type { Caller, Defaults, Surroundings } from './transaction.ts';

/**
 * wire: Terraform's provider, which names itself in X-TC-RequestClient, is always given what was sent. A default that is
 * not in its configuration would be a difference in every plan, and it could never remove it.
 */
export function defaultsFor({ caller, around }: { readonly caller: Caller; readonly around: Surroundings }): Defaults {
  return isTerraform(caller) ? 'as-sent' : around.defaults;
}

export function isTerraform({ client }: Caller): boolean {
  return client?.startsWith('Terraform') === true;
}
