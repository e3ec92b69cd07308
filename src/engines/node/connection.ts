/**
 * One TCP connection from accept to its record: accept → admit → choose → dial → announce → relay → record. What the
 * client sends before an origin is connected stays unread in the system, so a second origin gets all of it, once.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { EndCause } from '../../domain/fact/fact.ts';
import { CONNECTION_DESCRIPTORS, SEGMENT_BYTES } from '../flow/behaviour.ts';
import { countDrop } from '../flow/counters.ts';
import type { BindPoint } from '../flow/endpoints.ts';
import type { Budget, Waiting } from '../flow/budget.ts';
import type { RuleFlow } from './rule-flow.ts';
import type { Session } from '../flow/session.ts';
import type { SourcePorts } from '../flow/source-ports.ts';
import { mayTryNext } from '../flow/verdict.ts';
import { PASS_THROUGH } from '../pass-through/index.ts';
import { plainAddress, type Endpoint } from '../pass-through/pass-through.ts';
import type { Admission } from './admission.ts';
import { dial, type Dialled } from './dial.ts';
import { relay } from './relay.ts';
import { reset } from './reset.ts';

export interface Connection {
  readonly session: Session;
  readonly point: BindPoint;
  /** Resets both sides and records. Twice is fine. */
  end(cause: EndCause): void;
  /** Now and then: ends a dial whose client has reset the connection. */
  probe(): void;
}

export interface ConnectionDeps {
  readonly flow: RuleFlow;
  readonly budget: Budget;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly sources: SourcePorts | undefined;
  /** A connection is in here from its accept to its record. */
  readonly live: Set<Connection>;
  isBound(point: BindPoint): boolean;
}

/** limit: how soon a dial is repeated that found no descriptor although the budget said yes. */
const RETRY_MS = 100;

export function serve(client: Socket, point: BindPoint, deps: ConnectionDeps): void {
  const { flow, budget, admission, clock, live } = deps;
  const { remoteAddress, remotePort } = client;
  client.on('error', lost);
  // The client was gone before it could be served.
  if (remoteAddress === undefined) return void client.destroy();
  const session = flow.open({ address: plainAddress(remoteAddress), port: remotePort ?? 0 }, entryOf(client, point));
  const tried = new Set<string>();
  let lastCause: EndCause | undefined;
  /** What is going on before the relay, if anything. */
  let dialing: { cancel(): void } | undefined;
  let waiting: Waiting | undefined;
  let patience: Timer | undefined;
  let origin: Socket | undefined;
  let descriptors = 1;
  let retries = 0;
  let timeouts = 0;
  /** When the first dial began, or the last one timed out. */
  let triesFrom = 0;
  let isOver = false;

  const connection: Connection = { session, point, end, probe };
  const isAdmitted = admission.admits(session.client.address, live.size * CONNECTION_DESCRIPTORS);
  live.add(connection);
  budget.hold();
  admission.add(session.client.address, CONNECTION_DESCRIPTORS);
  if (isAdmitted) admit();
  else end('limit');

  function admit(): void {
    waiting = budget.queue(() => {
      descriptors = CONNECTION_DESCRIPTORS;
      patience?.cancel();
      triesFrom = clock.monotonic();
      dialNext();
    });
    if (!waiting) return end('limit');
    if (descriptors > 1) return;
    countDrop(flow.counters, 'wait-descriptors');
    patience = clock.after(flow.listener.options.connectTimeoutMs, () => end('limit'));
  }

  function dialNext(): void {
    const port = flow.originPort(point.port);
    if (port === undefined) return end(lastCause ?? 'no-origin');
    const mayTry = mayTryNext(timeouts, clock.monotonic() - triesFrom, flow.listener.options.connectTimeoutMs);
    const target = mayTry ? flow.choose(session.client.address, port, tried) : undefined;
    if (!target) return end(lastCause ?? flow.whyNone);
    const to = { address: target.address, port };
    const timeoutMs = flow.listener.options.connectTimeoutMs;
    dialing = dial(to, timeoutMs, { clock, sources: deps.sources, counters: flow.counters }, (result) =>
      dialled(to, result),
    );
  }

  function dialled(to: Endpoint, result: Dialled): void {
    dialing = undefined;
    if ('socket' in result) return announce(to, result.socket);
    if (result.failed === 'no-descriptor') {
      if (++retries * RETRY_MS > flow.listener.options.connectTimeoutMs) return end('limit');
      const timer = clock.after(RETRY_MS, dialNext);
      dialing = { cancel: () => timer.cancel() };
      return;
    }
    tried.add(to.address);
    if (result.failed !== 'no-source-port') flow.forget(session.client.address);
    lastCause = result.failed;
    if (result.failed === 'origin-timeout') {
      timeouts++;
      triesFrom = clock.monotonic();
    }
    dialNext();
  }

  function announce(to: Endpoint, socket: Socket): void {
    origin = socket;
    session.origin = to;
    flow.settle(session.client.address, to.address);
    // The rule may have changed during the dial.
    flow.judge(session, deps.isBound(point));
    const how = PASS_THROUGH[flow.listener.mode];
    if (how.carrier === 'start') socket.write(how.announce('TCP', session.client, session.entry));
    relay(client, socket, clock, {
      in(bytes) {
        session.activity++;
        session.bytesIn += bytes;
        flow.counters.bytesIn += bytes;
        flow.counters.packetsIn += Math.ceil(bytes / SEGMENT_BYTES);
      },
      out(bytes) {
        session.activity++;
        session.bytesOut += bytes;
        flow.counters.bytesOut += bytes;
        flow.counters.packetsOut += Math.ceil(bytes / SEGMENT_BYTES);
      },
      over: finish,
    });
  }

  /** not: reading. What an unread socket has to say of a reset it says to a writer, of nothing too, behind its end too. */
  function probe(): void {
    if (!origin) client.write('');
  }

  function lost(): void {
    if (!origin) end('client-reset');
  }

  function end(cause: EndCause): void {
    if (isOver) return;
    waiting?.cancel();
    dialing?.cancel();
    reset(client);
    if (origin) reset(origin);
    finish(cause);
  }

  function finish(cause: EndCause): void {
    if (isOver) return;
    isOver = true;
    patience?.cancel();
    flow.close(session, cause);
    budget.release(descriptors);
    admission.add(session.client.address, -CONNECTION_DESCRIPTORS);
    live.delete(connection);
  }
}

/** What the client connected to: the bound address, unless a wildcard was bound; then the system is asked, per client. */
function entryOf(client: Socket, point: BindPoint): Endpoint {
  const isWildcard = point.address === '0.0.0.0' || point.address === '::';
  const address = isWildcard ? plainAddress(client.localAddress ?? point.address) : point.address;
  return { address, port: point.port };
}
