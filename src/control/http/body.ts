/**
 * A request's body as it came, bounded in bytes and in memory, and not taken at all where its head says enough. Called by
 * calls.ts; it decides nothing about what is in it.
 */
import type { IncomingMessage } from 'node:http';
import { free, type Share } from './body-budget.ts';

/** limit: bytes of a body that is taken without a look at its head. The order of refusals is as the wire has it then. */
const SMALL = 64 * 1024;

interface BodyRules<Refusal> {
  readonly most: number;
  /** undefined: only its length is asked for. */
  readonly share: Share | undefined;
  /** The refusal that the head alone gives of a body that is not small; `length` has come or is announced. */
  foresee(length: number): Promise<Refusal | undefined>;
  /** The body may be sent. */
  proceed(): void;
}

type Taken<Refusal> =
  | { readonly kind: 'whole'; readonly length: number }
  /** Longer than `most`: so much is known. */
  | { readonly kind: 'long'; readonly length: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'no-room' };

export function announcedLength({ headers }: Pick<IncomingMessage, 'headers'>): number | undefined {
  const text = headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

/** Fills the share. The caller has what comes behind the verdict. Rejects when the client goes. */
export async function takeBody<Refusal>(
  request: IncomingMessage,
  { most, share, ...head }: BodyRules<Refusal>,
): Promise<Taken<Refusal>> {
  const announced = announcedLength(request);
  if (announced !== undefined && announced > most) return { kind: 'long', length: announced };
  let judged = share === undefined;
  if (!judged && announced !== undefined && announced > SMALL) {
    judged = true;
    const refusal = await head.foresee(announced);
    if (refusal !== undefined) return { kind: 'refused', refusal };
  }
  head.proceed();
  return new Promise((resolve, reject) => {
    let length = 0;
    request.on('data', add);
    request.on('end', end);
    request.on('error', fail);
    request.on('close', fail);

    function add(part: Buffer): void {
      length += part.length;
      if (length > most) settle({ kind: 'long', length });
      else if (share && !share.add(part)) settle({ kind: 'no-room' });
      else if (!judged && length > SMALL) judge();
      free(part);
    }
    function judge(): void {
      judged = true;
      request.pause();
      head.foresee(length).then((refusal) => {
        if (refusal === undefined) request.resume();
        else settle({ kind: 'refused', refusal });
      }, fail);
    }
    function end(): void {
      settle({ kind: 'whole', length });
    }
    function fail(error?: unknown): void {
      reject(error instanceof Error ? error : new Error('the client has gone'));
    }
    function settle(taken: Taken<Refusal>): void {
      request.off('data', add).off('end', end);
      resolve(taken);
    }
  });
}

/** limit: a client that still sends does not read a refusal, so what it sends is heard and dropped for a while. */
const LINGER = { ms: 5_000, bytes: 40 * 1024 * 1024 } as const;

/** Resolves when the body has ended, the client has gone, or has had its time. */
export function drain(
  request: IncomingMessage,
  after: (ms: number, run: () => void) => { cancel(): void },
): Promise<void> {
  return new Promise((resolve) => {
    let length = 0;
    const timer = after(LINGER.ms, done);
    request.on('data', (part: Buffer) => {
      length += part.length;
      free(part);
      if (length > LINGER.bytes) done();
    });
    request.on('end', done).on('close', done).on('error', done);
    request.resume();

    function done(): void {
      timer.cancel();
      resolve();
    }
  });
}
