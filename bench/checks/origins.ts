/**
 * Origins for checks, a process of its own: every address of the loopback network answers at one port, `GET` with 200,
 * anything else with `+PONG`, but `hush` not at all; over UDP so many of them do. Asked by its parent, it says how often each was.
 *
 *   origins.ts PORT UDP-ORIGINS
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { addressOf } from './checks.ts';

const [port = 0, udpOrigins = 0] = process.argv.slice(2).map(Number);
let counts = new Map<string, number>();
const count = (address: string): void => void counts.set(address, (counts.get(address) ?? 0) + 1);

const server = createServer({ noDelay: true }, (socket) => {
  count(socket.localAddress ?? '');
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    const said = bytes.toString('latin1');
    if (said === 'hush') return;
    if (said.startsWith('GET ')) socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
    else socket.write('+PONG\r\n');
  });
});

process.on('message', () => {
  process.send?.([...counts]);
  counts = new Map();
});
// A socket each: an answer from another address would not be heard.
for (let n = 0; n < udpOrigins; n++) {
  const address = addressOf(n, false);
  const udp = createSocket('udp4');
  udp.on('message', (_, from) => {
    count(address);
    udp.send('+PONG\r\n', from.port, from.address);
  });
  udp.bind(port, address);
  await once(udp, 'listening');
}
server.listen({ port, host: '0.0.0.0', backlog: 4_096 }, () => process.send?.('ready'));
