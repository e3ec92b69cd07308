/** Whether a text can be the name of a host in DNS. Pure; parses untrusted text. */

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/**
 * Single labels (`postgres` in a compose network) and underscores count; a name whose last label is a number does not,
 * because every resolver would take it for an IPv4 address. A final dot is fine.
 */
export function isDomainName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length > 253) return false;
  const labels = name.split('.');
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}
