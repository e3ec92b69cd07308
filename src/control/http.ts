/**
 * The HTTP listener: hands API calls to the pipeline with their bytes untouched, answers health, metrics and the start
 * page. Bounds what a client may send and how slowly. Knows nothing of what a call means; control.ts starts it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RawReply, RawRequest } from '../api/call.ts';
import { Usage } from '../config/usage.ts';
import type { HostPort } from '../config/values.ts';
import type { Clock } from '../lib/clock.ts';

export interface HttpDoors {
  call(raw: RawRequest): Promise<RawReply>;
  /** Why this control can't serve now; empty when it can. */
  notReady(): readonly string[];
  metrics(): Promise<string> | string;
  console(): RawReply;
}

export interface HttpServer {
  /** `http://127.0.0.1:7400`, with the port the system chose where the setting says 0. */
  readonly origin: string;
  readonly address: HostPort;
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
}

/** limit: a query may have 32 KB, and the headers of a signed call a few more. */
const HEADER_BYTES = 64 * 1024;
const HEADERS_WITHIN_MS = 15_000;
const REQUEST_WITHIN_MS = 60_000;
const KEEP_ALIVE_MS = 75_000;
const STOP_WITHIN_MS = 5_000;
/** limit: times the body limit that an overlong body is read to its end, so that its sender gets to the answer. */
const PATIENCE = 4;

/** Listens at once; throws Usage where the address can't be had. `doors` are asked only when a request is there. */
export async function startHttp(options: HttpOptions, doors: Promise<HttpDoors>): Promise<HttpServer> {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: HEADERS_WITHIN_MS,
    requestTimeout: REQUEST_WITHIN_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  });
  server.on('request', (request, response) => {
    void answer(request, response, options.bodyLimit, doors).catch(() => response.destroy());
  });
  await listen(server, options);
  const bound = server.address() as AddressInfo;
  const address = { host: bound.address, port: bound.port };
  return {
    address,
    origin: `http://${hostText(options.listen.host)}:${bound.port}`,
    stop: () => stop(server, options.clock),
  };
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function listen(server: Server, { listen: { host, port }, setting }: HttpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Usage(cantListen(error, host, port, setting))));
    server.listen(port, host, resolve);
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

async function answer(request: IncomingMessage, response: ServerResponse, limit: number, waiting: Promise<HttpDoors>) {
  const { method = '', url = '/' } = request;
  const path = url.split('?', 1)[0];
  if (path === '/' && !isBrowser(request)) {
    const body = await read(request, limit + 1);
    const doors = await waiting;
    const { headers } = request;
    const peer = request.socket.remoteAddress ?? '';
    const reply = await doors.call({ method, url, headers, body, peer });
    if (!request.complete) response.shouldKeepAlive = false;
    return send(response, reply);
  }
  request.resume();
  send(response, await page(path ?? '', await waiting));
}

/** A person who opens the API's address in a browser wants the console. */
function isBrowser({ method, url, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    url === '/' &&
    headers.authorization === undefined &&
    (headers.accept ?? '').includes('text/html')
  );
}

async function page(path: string, doors: HttpDoors): Promise<RawReply> {
  switch (path) {
    case '/':
      return { status: 302, headers: { Location: '/console' }, body: '' };
    case '/healthz':
      return plain(200, 'ok\n');
    case '/readyz': {
      const why = doors.notReady();
      return why.length === 0 ? plain(200, 'ready\n') : plain(503, `${why.join('\n')}\n`);
    }
    case '/metrics':
      return {
        status: 200,
        headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: await doors.metrics(),
      };
    case '/console':
      return doors.console();
    default:
      return plain(404, 'Nothing here. The API is POST /, the console /console.\n');
  }
}

function plain(status: number, body: string): RawReply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

function send(response: ServerResponse, { status, headers, body }: RawReply): void {
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

/**
 * The body, or its first `most` bytes. What follows is thrown away as it comes, up to a bound: a client that is still
 * sending does not read the refusal. Rejects when the client goes.
 */
function read(request: IncomingMessage, most: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    request.on('data', (part: Buffer) => {
      if (length < most) parts.push(part);
      length += part.length;
      if (length > most * PATIENCE) done();
    });
    request.on('end', done);
    request.on('error', reject);

    function done(): void {
      resolve(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts).subarray(0, most));
    }
  });
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
