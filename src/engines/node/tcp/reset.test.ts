import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { openDescriptors } from '../../../linux/descriptors.ts';
import { reset } from './reset.ts';

async function pair(t: TestContext): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], unknown];
  near.on('error', (error) => assert.fail(`the near end must not err: ${error}`));
  t.after(() => far.destroy());
  return [near, far];
}

async function farEnd(far: Socket): Promise<string | undefined> {
  // Who has read an end learns of a reset only by writing.
  far.on('end', () => far.write('x')).resume();
  const [error] = (await once(far, 'error')) as [NodeJS.ErrnoException];
  return error.code;
}

test('the peer sees a reset: open, half closed, with bytes that nobody takes', async (t) => {
  const states: ((socket: Socket) => unknown)[] = [
    () => {},
    async (socket) => once(socket.end(), 'finish'),
    (socket) => socket.write(Buffer.alloc(32_000_000)),
    (socket) => socket.end(Buffer.alloc(32_000_000)),
  ];
  for (const prepare of states) {
    const [near, far] = await pair(t);
    await prepare(near);
    reset(near);
    assert.match((await farEnd(far)) ?? '', /ECONNRESET|EPIPE/, String(prepare));
  }
});

test('during a shutdown it waits for it, and no descriptor is left behind', async (t) => {
  const before = openDescriptors();
  if (before === undefined) return t.skip('this system does not tell what is open');
  for (let i = 0; i < 20; i++) {
    const [near, far] = await pair(t);
    near.end();
    await new Promise((resolve) => process.nextTick(resolve));
    reset(near);
    reset(near);
    await once(near, 'close');
    far.destroy();
    await once(far, 'close');
  }
  // Twenty listening servers of this test are still open.
  assert.ok((openDescriptors() ?? 0) <= before + 22);
});

test('a socket that is on its way or gone is no problem', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const socket = connect(typeof bound === 'object' && bound ? bound.port : 0, '127.0.0.1');
  reset(socket);
  await once(socket, 'close');
  reset(socket);
  server.close();
});
