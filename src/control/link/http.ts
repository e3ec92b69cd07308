/** The little that requests on the link need of HTTP: a body with a bound, an answer without one. Used by the link server's parts. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Takes one request; what it rejects with is answered as 500, TooLong as 413. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export class TooLong extends Error {}

/** Rejects with TooLong beyond `limit` bytes. */
export async function bodyOf(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new TooLong(`a report of more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** May be called twice; the first one counts. */
export function answer(response: ServerResponse, status: number): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-length': 0 }).end();
}
