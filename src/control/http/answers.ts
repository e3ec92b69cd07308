/**
 * Answers on their way out: the headers, the body, and what to do with a peer that still sends. Knows nothing of what an answer
 * says. Used by exchanges.ts.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RawReply } from '../../api/call.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Connection, UnderWay } from './connections.ts';
import { drain } from './body.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly connection: Connection;
  readonly underWay: UnderWay;
}

/** limit: a peer that sends more than is taken may read why while there are few of them: each costs the memory of what is dropped. */
const DRAINS = 8;

export class Answers {
  readonly #clock: Pick<Clock, 'after'>;
  #draining = 0;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** Resolves when the answer is over, sent or not. */
  async send(
    { request, response, connection, underWay }: Exchange,
    { status, headers, body }: RawReply,
  ): Promise<void> {
    if (response.headersSent) return;
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
    // One that does not read its answer makes room for others, and one that still sends as well.
    underWay.giveUp = () => request.socket.destroy();
    const over = Promise.withResolvers<void>();
    if (!request.complete) connection.endDrain = over.resolve;
    const isBroken = !request.complete && connection.whenAnswered !== undefined;
    if (isBroken) connection.whenAnswered = undefined;
    if (request.complete || isBroken || this.#draining === DRAINS) {
      return new Promise((resolve) => {
        response.once('close', resolve);
        response.end(body);
      });
    }
    // order: node closes the connection behind the last byte of an answer, and what still comes in then makes it be lost.
    response.write(body);
    this.#draining++;
    const drained = drain(request, (ms, run) => this.#clock.after(ms, run));
    await Promise.race([drained, over.promise]).finally(() => this.#draining--);
    response.end();
  }
}
