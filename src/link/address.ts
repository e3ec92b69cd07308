/**
 * Where control listens for edges, as a person writes it: a path or `unix:<path>` on one machine, `http://host:port` or
 * `https://host:port` between machines. The transport is chosen here and nowhere else. Pure.
 */
import { whyTooLong } from '../linux/socket-path.ts';

export type LinkAddress =
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'url'; readonly tls: boolean; readonly host: string; readonly port: number };

/** Why the text can't be used, as one line that says what to do; or the address. */
export function parseLinkAddress(text: string): LinkAddress | { readonly bad: string } {
  const match = /^(https?):\/\//.exec(text);
  if (match) return parseUrl(text, match[1] === 'https');
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : text;
  if (path === '' || /^[a-z][a-z0-9+.-]*:/.test(path))
    return { bad: `${text}: give a socket’s path or a URL with https` };
  const bad = whyTooLong(path);
  return bad === undefined ? { kind: 'socket', path } : { bad: `${bad}; use a shorter folder` };
}

function parseUrl(text: string, tls: boolean): LinkAddress | { readonly bad: string } {
  if (!URL.canParse(text)) return { bad: `${text}: not a URL` };
  const url = new URL(text);
  if (url.pathname !== '/' || url.search !== '' || url.username !== '')
    return { bad: `${text}: give host and port only` };
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { kind: 'url', tls, host, port: Number(url.port || (tls ? 443 : 80)) };
}
