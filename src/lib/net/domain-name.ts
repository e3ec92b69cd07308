/** Whether a text can be the name of a host in DNS. Pure; parses untrusted text. */

/** A number in any base that some resolver reads. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*|0b[01]*|0o[0-7]*)$/i;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/**
 * Single labels (`postgres` in a compose network) and underscores count; a name whose last label is a number (`0x7f`, too) does
 * not, because resolvers take it for an IPv4 address. A final dot is fine.
 */
export function isDomainName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length > 253) return false;
  const labels = name.split('.');
  return labels.every((label) => LABEL.test(label)) && !NUMBER.test(labels.at(-1) ?? '');
}
