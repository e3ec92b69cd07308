/** A request's body as it came, bounded. Called by http.ts for API calls; it decides nothing about what is in it. */
import type { IncomingMessage } from 'node:http';

/** limit: times `most` that an overlong body is read to its end: a client that still sends does not read a refusal. */
const PATIENCE = 4;

/** All of it, or its first `most` bytes; what follows is thrown away as it comes. Rejects when the client goes. */
export function readBody(request: IncomingMessage, most: number): Promise<Uint8Array> {
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
      const [first = Buffer.alloc(0)] = parts;
      const whole = parts.length > 1 ? Buffer.concat(parts) : first;
      resolve(whole.subarray(0, most));
    }
  });
}
