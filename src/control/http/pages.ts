/**
 * The pages of control's port for people and their tools, as a table of routes: health, readiness, metrics, the start page. Refuses hosts that a browser may have been led here by. Used by exchanges.ts.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { RawReply } from '../../api/call.ts';
import { Fault } from '../../faults/fault.ts';

export interface PageDoors {
  /** undefined where they are off. */
  metrics(): Promise<string | undefined>;
  /** Whether traffic is served as far as control knows, and in a line why not. */
  ready(): { readonly isReady: boolean; readonly text: string };
  console(): Promise<RawReply>;
}

interface Refusing {
  refuse(
    raw: { method: string; url: string; headers: IncomingMessage['headers']; body: Uint8Array; peer: string },
    fault: Fault,
  ): RawReply;
}

interface Asked {
  readonly doors: Promise<PageDoors & Refusing>;
  /** The doors have opened. */
  readonly isReady: boolean;
  readonly refuse: (status: number, fault: Fault) => Promise<RawReply>;
}

interface Page {
  /** Shown whatever Host the request names: it tells a stranger nothing. */
  readonly anyHost?: true;
  show(asked: Asked): RawReply | Promise<RawReply>;
}

const ROUTES: Readonly<Record<string, Page>> = {
  '/healthz': { anyHost: true, show: () => plain(200, 'ok\n') },
  '/readyz': {
    anyHost: true,
    show: async ({ doors, isReady }) => (isReady ? readiness((await doors).ready()) : plain(503, 'starting\n')),
  },
  '/metrics': {
    async show({ doors, refuse }) {
      const text = await (await doors).metrics();
      if (text === undefined) return refuse(404, new Fault('UnsupportedOperation', METRICS_OFF));
      return { status: 200, headers: { 'Content-Type': PROMETHEUS }, body: text };
    },
  },
  '/console': { show: async ({ doors }) => (await doors).console() },
  // Only a person's browser is shown the way to the console.
  '/': { show: () => ({ status: 302, headers: { Location: '/console' }, body: '' }) },
};

/** wire: what is none of these is a call, whatever its path and method: Java posts to `//`, an endpoint may have a path. */
export function isPage({ method, url = '', headers }: IncomingMessage): boolean {
  const path = pathOf(url);
  if (path !== '/') return Object.hasOwn(ROUTES, path);
  const isBrowser = method === 'GET' && url === '/' && headers.authorization === undefined;
  return isBrowser && (headers.accept ?? '').includes('text/html');
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** For a request that is a page. `listen`: the host that the port was asked for by. */
export async function page(
  request: IncomingMessage,
  doors: Promise<PageDoors & Refusing>,
  isReady: boolean,
  listen: string,
): Promise<RawReply> {
  const { method = '', url = '', headers, socket } = request;
  const path = pathOf(url);
  async function refuse(status: number, fault: Fault, more: Readonly<Record<string, string>> = {}): Promise<RawReply> {
    const raw = { method, url, headers, body: new Uint8Array(), peer: socket.remoteAddress ?? '' };
    const reply = (await doors).refuse(raw, fault);
    return { ...reply, status, headers: { ...reply.headers, ...more } };
  }
  if (method !== 'GET' && method !== 'HEAD')
    return refuse(405, new Fault('UnsupportedProtocol', `${path} is read with GET.`), { Allow: 'GET, HEAD' });
  const asked = ROUTES[path]!;
  if (!asked.anyHost && !isOwnName(headers.host, listen))
    return refuse(403, new Fault('OperationDenied', STRANGE_HOST));
  return asked.show({ doors, isReady, refuse });
}

const STRANGE_HOST = 'This page is asked for by address, by localhost or by the name in --listen.';
const METRICS_OFF = 'Metrics are off; `--metrics open` shows them to everybody who reaches this port.';

/**
 * Whether a Host header may name this server: loopback names, the host in --listen, and any address. A page elsewhere can
 * make a browser send a name that it controls here (DNS rebinding); an address it can't, because nothing resolves one.
 */
function isOwnName(header: string | undefined, listen: string): boolean {
  if (header === undefined) return true;
  const host = header
    .trim()
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '');
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  return isIP(bare) !== 0 || bare === 'localhost' || bare.endsWith('.localhost') || bare === listen.toLowerCase();
}

function readiness({ isReady, text }: ReturnType<PageDoors['ready']>): RawReply {
  return plain(isReady ? 200 : 503, text);
}

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

function plain(status: number, body: string): RawReply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}
