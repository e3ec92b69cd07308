/**
 * The HTTP listener: accepts connections, bounds how many there are and how slowly they may talk, and ends them in good order.
 * wire: whatever it refuses by itself is the cloud's JSON with status 200, as SDKs lose the code of any other. Knows nothing of
 * what a call means (exchanges.ts has the requests); control.ts starts it.
 */
import type { IncomingMessage, Server } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { OverBudget } from '../../api/over-budget.ts';
import { type BudgetName, BUDGETS } from '../../config/budgets.ts';
import type { HostPort } from '../../config/values.ts';
import { Fault } from '../../faults/fault.ts';
import type { Clock } from '../../lib/clock.ts';
import { http } from '../../lib/node-http.ts';
import { lastAskers } from '../last-askers.ts';
import { Connections, type Full } from './connections.ts';
import { Exchanges, type HttpDoors } from './exchanges.ts';
import { Calls } from './calls.ts';
import { listen, type ListenOptions, reachable } from './listen.ts';
import { RefusedConnections } from './refused-connections.ts';

interface HttpServer {
  /** `http://127.0.0.1:7400`, with the port the system chose where the setting says 0. */
  readonly origin: string;
  readonly address: HostPort;
  /**
   * Accepts no more, and closes each connection with its next answer; resolves when `stop` cuts no peer that has just connected or
   * calls often. For a process whose listening socket another one holds as well.
   */
  retire(): Promise<void>;
  /** Answers what is under way, then closes. May be called twice. */
  stop(): Promise<void>;
}

interface HttpOptions extends ListenOptions {
  readonly clock: Clock;
  /** Counts what was refused or closed for a budget. */
  readonly refused: (budget: BudgetName) => void;
}

const HEADERS_WITHIN_MS = 15_000;
const REQUEST_WITHIN_MS = 60_000;
const KEEP_ALIVE_MS = 75_000;
const TIMES_CHECKED_MS = 5_000;
const STOP_WITHIN_MS = 5_000;
/** limit: clients that call more often are told to come again by another connection. */
const RETIRE_MS = 250;

const FULL = {
  'api-connections': 'ServiceUnavailable',
  'api-connections-per-peer': 'RequestLimitExceeded',
} as const satisfies Record<Full, string>;

/** Listens at once, requests wait for the doors. Throws Usage where the address can't be had. */
export async function startHttp(options: HttpOptions, doors: Promise<HttpDoors>): Promise<HttpServer> {
  const { clock, refused } = options;
  const { host } = options.listen;
  const server = createServer();
  const connections = new Connections({
    most: BUDGETS['api-connections'].most,
    mostPerPeer: BUDGETS['api-connections-per-peer'].most,
    refused,
  });
  const turnedAway = new RefusedConnections(clock, doors);
  const calls = new Calls(clock, refused);
  const exchanges = new Exchanges({ doors, connections, turnedAway, calls, host, clock });

  server.on('connection', (socket: Socket) => {
    const full = connections.admit(socket);
    if (full) turnedAway.refuse(socket, new OverBudget(full, FULL[full]));
  });
  // order: a client that waits to be told sends no body before its head was looked at.
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const)
    server.on(event, (request, response) => exchanges.take(request, response));
  server.on('connect', (_: IncomingMessage, socket: Socket) =>
    turnedAway.refuse(socket, new Fault('UnsupportedProtocol')),
  );
  server.on('clientError', (error: Error, socket: Socket) => exchanges.broken(error, socket));
  await listen(server, options);
  const { address, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    origin: `http://${reachable(address)}:${port}`,
    async retire() {
      exchanges.isStopping = true;
      // not: server.close(), which ends connections that have not said anything yet.
      NetServer.prototype.close.call(server);
      await clock.sleep(RETIRE_MS);
      await lastAskers(clock, () => connections.hasSilent);
    },
    stop() {
      exchanges.isStopping = true;
      return stop(server, clock);
    },
  };
}

function createServer(): Server {
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
  // A client that says that no more will come is still answered.
  return Object.assign(server, { httpAllowHalfOpen: true });
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
