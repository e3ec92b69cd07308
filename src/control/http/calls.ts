/**
 * API calls of the HTTP listener: takes the body as far as its head and the budget allow, hands the bytes to the pipeline
 * untouched, and gives every refusal the form that SDKs read. Knows nothing of what a call means. Used by exchanges.ts.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyLimit } from '../../api/steps/parse.ts';
import type { RawReply, RawRequest } from '../../api/call.ts';
import { OverBudget } from '../../api/over-budget.ts';
import { BUDGETS } from '../../config/budgets.ts';
import { Fault } from '../../faults/fault.ts';
import type { Clock } from '../../lib/clock.ts';
import { BodyBudget } from './body-budget.ts';
import type { UnderWay } from './connections.ts';
import { announcedLength, takeBody } from './body.ts';

export interface CallDoors {
  call(raw: RawRequest): Promise<RawReply>;
  /** The refusal of a call whose body is still to come, where its head is enough for one. */
  foresee(raw: RawRequest): Promise<RawReply | undefined>;
  /** The reply to what is no call, or can't be taken as one. */
  refuse(raw: RawRequest, fault: Fault): RawReply;
}

const NOTHING = new Uint8Array();

export class Calls {
  readonly #bodies: BodyBudget;

  constructor(clock: Pick<Clock, 'monotonic'>, refused: (budget: 'unverified-bodies') => void) {
    this.#bodies = new BodyBudget(BUDGETS['unverified-bodies'].most, clock, () => refused('unverified-bodies'));
  }

  /** Rejects when the client goes. The body may not have come to its end. */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    underWay: UnderWay,
    doors: Promise<CallDoors>,
  ): Promise<RawReply> {
    const head = headOf(request);
    const evicted = Promise.withResolvers<{ kind: 'no-room' }>();
    // limit: of a body that no signature covers only the length is of any use.
    const share =
      head.method === 'POST'
        ? this.#bodies.open(announcedLength(request), () => evicted.resolve({ kind: 'no-room' }))
        : undefined;
    try {
      underWay.receiving = true;
      underWay.giveUp = () => void doors.then((api) => giveUp(response, api.refuse(head, NO_ROOM())));
      const body = takeBody(request, {
        most: bodyLimit(head),
        share,
        foresee: async (bodyLength) => (await doors).foresee({ ...head, bodyLength }),
        proceed() {
          if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
        },
      });
      const taken = await Promise.race([body, evicted.promise]);
      heard(underWay);
      const api = await doors;
      if (taken.kind === 'refused') return taken.refusal;
      if (taken.kind === 'no-room') return api.refuse(head, NO_ROOM());
      const { length } = taken;
      if (taken.kind === 'long' || share === undefined) return await api.call({ ...head, bodyLength: length });
      return await api.call({ ...head, body: share.whole() });
    } finally {
      heard(underWay);
      share?.release();
    }
  }
}

const NO_ROOM = (): Fault =>
  new Fault('ServiceUnavailable', 'Too many calls are being received at the moment. Try again.');

function heard(underWay: UnderWay): void {
  underWay.receiving = false;
  underWay.giveUp = undefined;
}

function headOf(request: IncomingMessage): RawRequest {
  const { method = '', url = '', headers, socket } = request;
  return { method, url, headers, body: NOTHING, peer: socket.remoteAddress ?? '' };
}

/** The last word on a connection that has to go. */
function giveUp(response: ServerResponse, { status, headers, body }: RawReply): void {
  if (response.headersSent) return;
  response.shouldKeepAlive = false;
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body);
}

/** limit: characters that are looked through for a language, of bytes that are not HTTP. */
const PEEKED = 64 * 1024;

/** Node's error as a call that was refused; undefined where no client is left to be told. */
export function brokenCall(error: Error & { code?: string; rawPacket?: Buffer }, peer: string) {
  const fault = faultOf(error.code ?? '');
  const text = error.rawPacket?.subarray(0, PEEKED).toString('latin1') ?? '';
  const language = /(?:^x-tc-language:\s*|[?&]Language=)(zh-CN|en-US)/im.exec(text)?.[1];
  const headers = language === undefined ? {} : { 'x-tc-language': language };
  return fault && { fault, raw: { method: '', url: '', headers, body: NOTHING, peer } };
}

function faultOf(code: string): Fault | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return new OverBudget('header-bytes');
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return new Fault('RequestSizeLimitExceeded');
  if (code === 'HPE_INVALID_METHOD') return new Fault('UnsupportedProtocol');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Fault('InvalidRequest', 'It did not come within its time.');
  return code.startsWith('HPE_') ? new Fault('InvalidRequest', 'It is not HTTP/1.1.') : undefined;
}

/** A reply where there is no response object for one. */
export function replyText({ headers, body }: RawReply): string {
  const all = { ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 200 OK\r\n${lines.join('')}\r\n${body}`;
}
