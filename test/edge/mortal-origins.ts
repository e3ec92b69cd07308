/**
 * Origins that die in the ways in which origins die, for tests of health checks: each answers a PING, an HTTP request and a
 * WHO over TCP, and a PING over UDP, on one address and port; and each is a program of its own, so that it can be stopped.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import process from 'node:process';
import type { TestContext } from 'node:test';

/** `ill`: it answers, and what it answers is wrong. `closed`: no program listens there. `stopped`: SIGSTOP. */
export type Condition = 'well' | 'ill' | 'closed' | 'stopped';

interface MortalOrigin {
  readonly address: string;
  readonly port: number;
  become(condition: Condition): Promise<void>;
  /** Connections and datagrams so far. */
  heard(): Promise<number>;
}

const PROGRAM = `
  const { createServer } = require('node:net');
  const { createSocket } = require('node:dgram');
  const [, address, port] = process.argv;
  let condition = 'well', heard = 0, open = new Set();
  const say = (text) => {
    const ill = condition === 'ill';
    if (text.startsWith('GET ')) return 'HTTP/1.1 ' + (ill ? '503 No' : '200 OK') + '\\r\\n\\r\\n';
    if (text.startsWith('PING')) return ill ? '-ERR' : '+PONG';
    return address;
  };
  const tcp = createServer((socket) => {
    heard++;
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    socket.on('data', (bytes) => socket.end(say(String(bytes))));
  });
  const udp = createSocket('udp4');
  udp.on('message', (bytes, from) => { heard++; udp.send(say(String(bytes)), from.port, from.address); });
  tcp.listen(Number(port), address, () => {
    udp.bind(tcp.address().port, address, () => process.send({ port: tcp.address().port }));
  });
  process.on('message', (wish) => {
    if (wish === 'heard') return process.send({ heard });
    condition = wish;
    if (wish === 'closed') {
      udp.close();
      for (const socket of open) socket.destroy();
      tcp.close(() => process.send({}));
    } else process.send({});
  });
  process.on('disconnect', () => process.exit());
`;

/** `port` 0: a free one. */
export async function mortalOrigin(t: TestContext, address: string, port = 0): Promise<MortalOrigin> {
  const child = spawn(process.execPath, ['-e', PROGRAM, address, `${port}`], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  type Answer = { readonly port?: number; readonly heard?: number };
  const answer = async (): Promise<Answer> => ((await once(child, 'message')) as [Answer])[0];
  const { port: bound = 0 } = await answer();
  return {
    address,
    port: bound,
    async become(condition) {
      if (condition === 'stopped') return void child.kill('SIGSTOP');
      child.kill('SIGCONT');
      const done = answer();
      child.send(condition);
      await done;
    },
    async heard() {
      const told = answer();
      child.send('heard');
      return (await told).heard ?? 0;
    },
  };
}

/** Who answers a new connection to this place; empty: nobody, within `ms`. */
export function who(address: string, port: number, ms = 2_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, address, () => socket.write('WHO'));
    const timer = setTimeout(() => socket.destroy(), ms);
    let name = '';
    socket.on('data', (bytes) => (name += bytes.toString())).on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(name);
    });
  });
}
