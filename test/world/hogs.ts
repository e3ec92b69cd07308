/**
 * Peers that send 10 MB to an API slowly or without an end (A2), as a program of its own: the process that measures shall
 * not be busy with them. Arguments: a JSON of HogWish. Ends when its standard input does.
 */
import { connect } from 'node:net';
import process from 'node:process';

export interface HogWish {
  readonly port: number;
  readonly peers: number;
  /** One address of 127.0.0.0/8 each; otherwise all come from one. */
  readonly apart: boolean;
  /** Headers of the call but its length, each line with its end. */
  readonly headers: string;
}

const LENGTH = 10 * 1024 * 1024;
const PART = Buffer.alloc(64 * 1024, 'x');
/** A third sends all but a byte in 3 seconds, a third in 8, a third says nothing more after 1 MB. */
const PACES = [
  { every: 20, most: LENGTH - 1 },
  { every: 50, most: LENGTH - 1 },
  { every: 0, most: 1024 * 1024 },
] as const;

const wish = JSON.parse(process.argv[2] ?? '{}') as HogWish;
process.stdin.resume().on('end', () => process.exit());
for (let peer = 0; peer < wish.peers; peer++) hog(peer);

function hog(peer: number): void {
  const pace = PACES[peer % PACES.length] ?? PACES[0];
  const localAddress = wish.apart ? `127.90.${Math.floor(peer / 250)}.${(peer % 250) + 1}` : '127.0.0.1';
  const socket = connect({ port: wish.port, host: '127.0.0.1', localAddress });
  let sent = 0;
  socket.write(`POST / HTTP/1.1\r\n${wish.headers}Content-Length: ${LENGTH}\r\n\r\n`);
  socket.on('drain', more).on('connect', more);
  socket.on('error', () => {});
  // Refused: it comes again.
  socket.on('data', () => socket.destroy());
  socket.on('close', () => setTimeout(() => hog(peer), 500));

  function more(): void {
    if (socket.destroyed || sent >= pace.most) return;
    const part = PART.subarray(0, pace.most - sent);
    sent += part.length;
    const flows = socket.write(part);
    if (pace.every > 0) setTimeout(more, pace.every);
    else if (flows) setImmediate(more);
  }
}
