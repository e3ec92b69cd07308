import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { portFinding } from './ports.ts';

test('a taken port is bad, unless it is our own', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  const at = { host: '127.0.0.1', port };
  assert.equal((await portFinding('API', at, 'listen', false)).state, 'bad');
  assert.equal((await portFinding('API', at, 'listen', true)).state, 'ok');
  await new Promise((resolve) => {
    server.close(resolve);
  });
});
