/**
 * Requests of control's port, from their head to the last byte of their answer: API calls go to calls.ts, pages to pages.ts.
 * Bounds how many of one connection are under way, and answers in the order in which they came. Made by http.ts, which accepts the
 * connections.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { OverBudget } from '../../api/over-budget.ts';
import { BUDGETS } from '../../config/budgets.ts';
import type { Clock } from '../../lib/clock.ts';
import { Answers, type Exchange } from './answers.ts';
import { type Connections, UnderWay } from './connections.ts';
import { brokenCall, type CallDoors, type Calls } from './calls.ts';
import { isPage, page, type PageDoors } from './pages.ts';
import { noCall, type RefusedConnections } from './refused-connections.ts';

export type HttpDoors = CallDoors & PageDoors;

interface ExchangeParts {
  readonly doors: Promise<HttpDoors>;
  readonly connections: Connections;
  readonly turnedAway: RefusedConnections;
  readonly calls: Calls;
  /** The host that the port was asked for by. */
  readonly host: string;
  readonly clock: Pick<Clock, 'after'>;
}

export class Exchanges {
  readonly #parts: ExchangeParts;
  readonly #answers: Answers;
  /** The doors have opened. */
  #isReady = false;
  /** Each connection closes with its next answer. */
  isStopping = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#answers = new Answers(parts.clock);
    parts.doors.then(
      () => (this.#isReady = true),
      () => {},
    );
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const { connections } = this.#parts;
    const connection = connections.of(request.socket);
    if (connection) connection.hasCalled = true;
    if (!connection || connection.last) return void request.resume();
    if (connection.underWay.size === BUDGETS['pipelined-calls'].most) connection.last = true;
    const underWay = new UnderWay(request);
    connection.underWay.add(underWay);
    const exchange = { request, response, connection, underWay };
    (connection.last ? this.#refuse(exchange) : this.#answer(exchange))
      // The client is gone, or the process is ending: there is no peer to answer.
      .catch(() => response.destroy())
      .finally(() => {
        connection.underWay.delete(underWay);
        connections.answered(connection);
        if (!connection.owes) connection.whenAnswered?.();
      });
  }

  /** Node could not read on, or a request took too long to come. */
  broken(error: Error, socket: Socket): void {
    const { connections, turnedAway } = this.#parts;
    const connection = connections.of(socket);
    const broken = brokenCall(error, socket.remoteAddress ?? '');
    if (turnedAway.has(socket)) return;
    if (!broken || !socket.writable) return void socket.destroy();
    const refuse = (): void => turnedAway.refuse(socket, broken.fault, broken.raw);
    if (!connection?.owes) return refuse();
    connection.last = true;
    if (connection.endDrain) return connection.endDrain();
    // order: what came before it is answered first.
    connection.whenAnswered = refuse;
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { request, response, connection, underWay } = exchange;
    const { doors, calls, turnedAway, host } = this.#parts;
    const reply = isPage(request)
      ? await page(request.resume(), doors, this.#isReady, host)
      : await calls.answer(request, response, underWay, doors);
    if (reply.signed) connection.signed = true;
    // A body that was not read to its end would be taken for the next request.
    if (this.isStopping || !request.complete) response.shouldKeepAlive = false;
    // It was broken, and has been refused for that.
    if (turnedAway.has(request.socket)) return;
    await this.#answers.send(exchange, reply);
  }

  /** One too many on its connection. */
  async #refuse(exchange: Exchange): Promise<void> {
    const api = await this.#parts.doors;
    const fault = new OverBudget('pipelined-calls', 'RequestLimitExceeded');
    exchange.response.shouldKeepAlive = false;
    await this.#answers.send(exchange, api.refuse(noCall(exchange.request.socket), fault));
  }
}
