/** Shared by both signing methods: hosts and paths that a client may have signed, and a comparison in constant time. */
import { timingSafeEqual } from 'node:crypto';
import { header, type RawRequest } from '../call.ts';

/**
 * wire: Python and Go sign the Host header as sent, Node without its port, tccli with a scheme in front (which it also
 * sends); case is free in host names. Source: spec section 1.5.
 */
export function signedHosts(raw: RawRequest): string[] {
  const host = (header(raw, 'host') ?? '').trim();
  const bare = host.replace(/:\d{1,5}$/, '');
  return [...new Set([host, bare, host.toLowerCase(), bare.toLowerCase()])];
}

/** wire: the documents sign `/` for any path of the endpoint; Node and Python sign the path they call. */
export function signedPaths({ url }: RawRequest): string[] {
  const query = url.indexOf('?');
  return [...new Set(['/', query < 0 ? url : url.slice(0, query)])];
}

export function equalText(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
