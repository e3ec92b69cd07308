/**
 * Short connections at a steady pace, and an origin for them: one process each, blocking calls and nothing else. The client
 * ends first, so that the side that dialled the origin has the port in TIME_WAIT. Started by source-ports.ts.
 *
 *   pace.ts origin ADDRESS PORT
 *   pace.ts client ADDRESS PORT PER_SECOND COUNT     prints {served, failed: {ERROR: count}} at the end
 */
import { sockaddr } from '../../src/linux/sockaddr.ts';
import {
  accept4,
  bindTo,
  close,
  connect,
  errnoName,
  listen,
  recv,
  send,
  shutdown,
  socket,
} from '../../src/linux/ffi/libc.ts';

const [AF_INET, SOCK_STREAM, SHUT_WR] = [2, 1, 1];
const [role, address = '', port = '0', perSecond = '1', count = '1'] = process.argv.slice(2);
const name = sockaddr(address, Number(port));
const byte = Uint8Array.of(120);
if (role === 'origin') beOrigin();
else beClient();

function beOrigin(): void {
  const listening = socket(AF_INET, SOCK_STREAM, 0);
  if (bindTo(listening, name, name.length) < 0 || listen(listening, 4096) < 0) throw new Error('cannot listen');
  process.stdout.write('ready\n', () => {
    for (;;) {
      const fd = accept4(listening, 0, 0, 0);
      while (recv(fd, byte, 1, 0) > 0);
      close(fd);
    }
  });
}

function beClient(): void {
  const failed: Record<string, number> = {};
  const idle = new Int32Array(new SharedArrayBuffer(4));
  const began = performance.now();
  let served = 0;
  for (let i = 0; i < Number(count); i++) {
    const early = began + (i * 1000) / Number(perSecond) - performance.now();
    if (early > 1) Atomics.wait(idle, 0, 0, early);
    const fd = socket(AF_INET, SOCK_STREAM, 0);
    const result = connect(fd, name, name.length);
    if (result < 0) failed[errnoName(result)] = (failed[errnoName(result)] ?? 0) + 1;
    else {
      send(fd, byte, 1, 0);
      shutdown(fd, SHUT_WR);
      if (recv(fd, byte, 1, 0) === 0) served++;
      else failed['reset'] = (failed['reset'] ?? 0) + 1;
    }
    close(fd);
  }
  process.stdout.write(`${JSON.stringify({ served, failed })}\n`);
}
