/**
 * The HTTP listener: hands API calls (http-calls.ts) and pages (pages.ts) on, and bounds how many may talk at once and how
 * slowly. wire: whatever it refuses by itself is the cloud's JSON with status 200, as SDKs lose the code of any other.
 * Knows nothing of what a call means; control.ts starts it.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { RawReply } from '../../api/call.ts';
import { OverBudget } from '../../api/over-budget.ts';
import { type BudgetName, BUDGETS } from '../../config/budgets.ts';
import { Usage } from '../../config/usage.ts';
import type { HostPort } from '../../config/values.ts';
import { Fault } from '../../faults/fault.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Inherited } from '../../handoff/inherited.ts';
import { http } from '../../lib/node-http.ts';
import { type Connection, Connections, type Full, UnderWay } from './connections.ts';
import { drain } from './http-body.ts';
import { brokenCall, type CallDoors, Calls, replyText } from './http-calls.ts';
import { isPage, page, type PageDoors } from './pages.ts';

export type HttpDoors = CallDoors & PageDoors;

interface HttpServer {
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

interface HttpOptions {
  readonly listen: HostPort;
  /** What to change when the port is taken: the flag's name. */
  readonly setting: string;
  readonly clock: Clock;
  /** Counts what was refused or closed for a budget. */
  readonly refused: (budget: BudgetName) => void;
  readonly inherited?: Inherited | undefined;
}

const HEADERS_WITHIN_MS = 15_000;
const REQUEST_WITHIN_MS = 60_000;
const KEEP_ALIVE_MS = 75_000;
const TIMES_CHECKED_MS = 5_000;
const STOP_WITHIN_MS = 5_000;
/** limit: who was turned away may read why for so long. */
const PARTING_MS = 2_000;
/**
 * limit: clients that call more often than `least` are told to come again by another connection; one that has connected has
 * `most` to say what it wants, on a busy machine too. Calls to whoever comes next wait as long.
 */
const RETIRE_MS = { least: 250, most: 5_000 } as const;
const RETIRE_POLL_MS = 10;

/** Listens at once, requests wait for the doors. Throws Usage where the address can't be had. */
export async function startHttp(options: HttpOptions, doors: Promise<HttpDoors>): Promise<HttpServer> {
  const server = http.createServer({
    maxHeaderSize: BUDGETS['header-bytes'].most,
    headersTimeout: HEADERS_WITHIN_MS,
    requestTimeout: REQUEST_WITHIN_MS,
    connectionsCheckingInterval: TIMES_CHECKED_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
    // A call without a Host is refused as a call is.
    requireHostHeader: false,
  });
  // Who says that no more will come is still answered.
  Object.assign(server, { httpAllowHalfOpen: true });
  const { clock, refused } = options;
  const calls = new Calls(clock, refused);
  const connections = new Connections({
    most: BUDGETS['api-connections'].most,
    mostPerPeer: BUDGETS['api-connections-per-peer'].most,
    refused,
  });
  /** Connections whose first call has not come. */
  const silent = new Set<Socket>();
  /** Those that have been told that they are no longer heard. */
  const parted = new WeakSet<Socket>();
  let ready = false;
  let stopping = false;
  doors.then(
    () => (ready = true),
    () => {},
  );

  function part(socket: Socket, reply: (doors: HttpDoors) => RawReply): void {
    if (parted.has(socket)) return;
    parted.add(socket);
    const timer = clock.after(PARTING_MS, () => socket.destroy());
    socket.once('close', () => timer.cancel());
    socket.on('error', () => {});
    doors.then(
      (api) => socket.end(replyText(reply(api))),
      () => socket.destroy(),
    );
  }
  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    connection: Connection,
    underWay: UnderWay,
  ): Promise<void> {
    const reply = isPage(request)
      ? await page(request.resume(), doors, ready, options.listen.host)
      : await calls.answer(request, response, underWay, doors);
    if (reply.signed) connection.signed = true;
    // A body that was not read to its end would be taken for the next request.
    if (stopping || !request.complete) response.shouldKeepAlive = false;
    // It was broken, and has been refused for that.
    if (parted.has(request.socket)) return;
    await send(request, response, reply, { connection, underWay, clock });
  }
  server.on('connection', (socket: Socket) => {
    const full = connections.admit(socket);
    if (full) return part(socket, (api) => api.refuse(noCall(socket), new OverBudget(full, FULL[full])));
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  function take(request: IncomingMessage, response: ServerResponse): void {
    const connection = connections.of(request.socket);
    silent.delete(request.socket);
    if (!connection || connection.last) return void request.resume();
    if (connection.underWay.size === BUDGETS['pipelined-calls'].most) connection.last = true;
    const underWay = new UnderWay(request);
    connection.underWay.add(underWay);
    const answered = connection.last
      ? doors.then((api) => {
          const refusal = api.refuse(noCall(request.socket), new OverBudget('pipelined-calls', 'RequestLimitExceeded'));
          response.shouldKeepAlive = false;
          return send(request, response, refusal, { connection, underWay, clock });
        })
      : answer(request, response, connection, underWay);
    answered
      // The client is gone, or the process is ending: there is nobody to answer.
      .catch(() => response.destroy())
      .finally(() => {
        connection.underWay.delete(underWay);
        connections.answered(connection);
        if (!connection.owes) connection.whenAnswered?.();
      });
  }
  server.on('request', take);
  // order: a client that waits to be told sends no body before its head was looked at.
  server.on('checkContinue', take);
  server.on('checkExpectation', take);
  server.on('connect', (_request: IncomingMessage, socket: Socket) =>
    part(socket, (api) => api.refuse(noCall(socket), new Fault('UnsupportedProtocol'))),
  );
  server.on('clientError', (error: Error, socket: Socket) => {
    const connection = connections.of(socket);
    const broken = brokenCall(error, socket.remoteAddress ?? '');
    if (parted.has(socket)) return;
    if (!broken || !socket.writable) return void socket.destroy();
    const refuse = (): void => part(socket, (api) => api.refuse(broken.raw, broken.fault));
    if (!connection?.owes) return refuse();
    connection.last = true;
    if (connection.endDrain) return connection.endDrain();
    // order: what came before it is answered first.
    connection.whenAnswered = refuse;
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

const FULL = {
  'api-connections': 'ServiceUnavailable',
  'api-connections-per-peer': 'RequestLimitExceeded',
} as const satisfies Record<Full, string>;

/** What is refused before it is a call. */
function noCall({ remoteAddress = '' }: Socket) {
  return { method: '', url: '', headers: {}, body: new Uint8Array(), peer: remoteAddress };
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: RawReply,
  { connection, underWay, clock }: { connection: Connection; underWay: UnderWay; clock: Clock },
): Promise<void> {
  if (response.headersSent) return;
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  // One that does not read its answer makes room for others, and one that still sends as well.
  underWay.giveUp = () => request.socket.destroy();
  const over = Promise.withResolvers<void>();
  if (!request.complete) connection.endDrain = over.resolve;
  const isBroken = !request.complete && connection.whenAnswered !== undefined;
  if (isBroken) connection.whenAnswered = undefined;
  if (request.complete || isBroken || draining === DRAINS) {
    return new Promise((resolve) => {
      response.once('close', resolve);
      response.end(body);
    });
  }
  // order: node closes the connection behind the last byte of an answer, and what still comes in then makes it be lost.
  response.write(body);
  draining++;
  await Promise.race([drain(request, (ms, run) => clock.after(ms, run)), over.promise]).finally(() => draining--);
  response.end();
}

/** limit: who sends more than is taken reads why, as long as there are few of them; each costs the memory of what is dropped. */
const DRAINS = 8;
let draining = 0;

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
