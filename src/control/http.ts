/**
 * The HTTP listener: hands API calls to the pipeline with their bytes untouched, answers health, metrics and the start
 * page. Bounds what a client may send and how slowly. Knows nothing of what a call means; control.ts starts it.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { RawReply, RawRequest } from '../api/call.ts';
import { Usage } from '../config/usage.ts';
import type { HostPort } from '../config/values.ts';
import type { Clock } from '../lib/clock.ts';
import type { Inherited } from '../lib/handoff/inherited.ts';
import { http } from '../lib/node-http.ts';
import { readBody } from './http-body.ts';

export interface HttpDoors {
  call(raw: RawRequest): Promise<RawReply>;
  metrics(): Promise<string>;
  /** Whether traffic is served as far as control knows, and in a line why not. */
  ready(): { readonly isReady: boolean; readonly text: string };
  console(): Promise<RawReply>;
}

export interface HttpServer {
  /** `http://127.0.0.1:7400`, with the port the system chose where the setting says 0. */
  readonly origin: string;
  readonly address: HostPort;
  /**
   * Accepts no more, and closes each connection with its next answer; resolves when who has just connected, and who calls
   * often, is not cut by `stop`. For who holds another descriptor of the listening socket.
   */
  retire(): Promise<void>;
  /** Answers what is under way, then closes. May be called twice. */
  stop(): Promise<void>;
}

export interface HttpOptions {
  readonly listen: HostPort;
  /** What to change when the port is taken: the flag's name. */
  readonly setting: string;
  /** limit: bytes of a body that are kept; one more is handed over so that the pipeline sees it is too long. */
  readonly bodyLimit: number;
  readonly clock: Clock;
  readonly inherited?: Inherited | undefined;
}

/** limit: a query may have 32 KB, and the headers of a signed call a few more. */
const HEADER_BYTES = 64 * 1024;
const HEADERS_WITHIN_MS = 15_000;
const REQUEST_WITHIN_MS = 60_000;
const KEEP_ALIVE_MS = 75_000;
const STOP_WITHIN_MS = 5_000;
/**
 * limit: clients that call more often than `least` are told to come again by another connection; one that has connected has
 * `most` to say what it wants, on a busy machine too. Calls to whoever comes next wait as long.
 */
const RETIRE_MS = { least: 250, most: 5_000 } as const;
const RETIRE_POLL_MS = 10;

/** Listens at once, requests wait for the doors. Throws Usage where the address can't be had. */
export async function startHttp(options: HttpOptions, doors: Promise<HttpDoors>): Promise<HttpServer> {
  const server = http.createServer({
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: HEADERS_WITHIN_MS,
    requestTimeout: REQUEST_WITHIN_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  });
  /** Connections whose first call has not come. */
  const silent = new Set<Socket>();
  let ready = false;
  let stopping = false;
  doors.then(
    () => (ready = true),
    () => {},
  );
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', (request, response) => {
    silent.delete(request.socket);
    const reply = isCall(request) ? call(request, options.bodyLimit, doors) : page(request, doors, ready);
    reply
      .then((reply) => {
        // A body that was not read to its end would be taken for the next request.
        if (stopping || !request.complete) response.shouldKeepAlive = false;
        send(response, reply);
      })
      // The client is gone, or the process is ending: there is nobody to answer.
      .catch(() => response.destroy());
  });
  await listen(server, options);
  const { address, port } = server.address() as AddressInfo;
  return {
    address: { host: options.listen.host, port },
    origin: `http://${reachable(address)}:${port}`,
    async retire() {
      stopping = true;
      // not: server.close(), which ends connections that have not said anything yet.
      NetServer.prototype.close.call(server);
      const { clock } = options;
      await clock.sleep(RETIRE_MS.least);
      const end = clock.monotonic() + RETIRE_MS.most;
      while (silent.size > 0 && clock.monotonic() < end) await clock.sleep(RETIRE_POLL_MS);
    },
    stop() {
      stopping = true;
      return stop(server, options.clock);
    },
  };
}

/** A client on this machine can't be told to connect to "any address". */
function reachable(bound: string): string {
  if (bound === '0.0.0.0') return '127.0.0.1';
  if (bound === '::') return '[::1]';
  return hostText(bound);
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function listen(server: Server, { listen: { host, port }, setting, inherited }: HttpOptions): Promise<void> {
  const fd = inherited?.takeOne('TCP', host, port);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Usage(cantListen(error, host, port, setting))));
    server.listen(fd === undefined ? { port, host } : { fd }, resolve);
  });
}

function cantListen(error: NodeJS.ErrnoException, host: string, port: number, setting: string): string {
  const where = `${hostText(host)}:${port}`;
  const choose = `choose another with --${setting} HOST:PORT`;
  if (error.code === 'EADDRINUSE') return `${where} is taken by another program. End that one, or ${choose}.`;
  if (error.code === 'EACCES')
    return `${where} needs a privilege this user doesn't have. See docs/how-to/port-443.md, or ${choose}.`;
  if (error.code === 'EADDRNOTAVAIL') return `${host} is no address of this machine; ${choose}.`;
  return `Can't listen on ${where} (${error.code ?? error.message}); ${choose}.`;
}

/** wire: a call is whatever comes to `/`, whatever its method; only a person's browser is shown the way to the console. */
function isCall({ method, url = '', headers }: IncomingMessage): boolean {
  if (pathOf(url) !== '/') return false;
  const browser = method === 'GET' && url === '/' && headers.authorization === undefined;
  return !(browser && (headers.accept ?? '').includes('text/html'));
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

async function call(request: IncomingMessage, limit: number, doors: Promise<HttpDoors>): Promise<RawReply> {
  const { method = '', url = '', headers } = request;
  const body = await readBody(request, limit + 1);
  const peer = request.socket.remoteAddress ?? '';
  return (await doors).call({ method, url, headers, body, peer });
}

async function page(request: IncomingMessage, doors: Promise<HttpDoors>, ready: boolean): Promise<RawReply> {
  request.resume();
  switch (pathOf(request.url ?? '')) {
    case '/':
      return { status: 302, headers: { Location: '/console' }, body: '' };
    case '/healthz':
      return plain(200, 'ok\n');
    case '/readyz':
      return ready ? readiness((await doors).ready()) : plain(503, 'starting\n');
    case '/metrics':
      return { status: 200, headers: { 'Content-Type': PROMETHEUS }, body: await (await doors).metrics() };
    case '/console':
      return (await doors).console();
    default:
      return plain(404, 'Nothing here. The API is POST /, the console /console.\n');
  }
}

function readiness({ isReady, text }: ReturnType<HttpDoors['ready']>): RawReply {
  return plain(isReady ? 200 : 503, text);
}

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

function plain(status: number, body: string): RawReply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

function send(response: ServerResponse, { status, headers, body }: RawReply): void {
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function stop(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const deadline = clock.after(STOP_WITHIN_MS, () => server.closeAllConnections());
    server.close(() => {
      deadline.cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}
