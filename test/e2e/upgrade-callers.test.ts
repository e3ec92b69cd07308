/**
 * Callers of the API that connect first and speak later, across a next generation that dies on its way: its control serves
 * the port for a while, and those that have connected to it are answered before it goes.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { Generations } from '../world/upgrade.ts';
import { treeWorld } from '../world/world.ts';

const EVERY_MS = 25;
const SILENT_MS = 400;

test(
  'callers that have connected are answered by a control that goes back',
  { skip: process.platform !== 'linux' && 'descriptors travel on Linux only', timeout: 300_000 },
  async () => {
    await using w = await treeWorld({ settings: ['--engine', 'node'] });
    await using generations = new Generations(w);
    const { hostname, port } = new URL(w.api);
    const answers: Promise<string>[] = [];
    const timer = setInterval(() => answers.push(slowCall(hostname, Number(port))), EVERY_MS);
    const { code, output } = await generations.crash('edge ready');
    clearInterval(timer);
    assert.equal(code, 2, output);
    const ends = await Promise.all(answers);
    assert.ok(ends.length > 20, `only ${ends.length} calls`);
    assert.deepEqual([...new Set(ends)], ['HTTP/1.1 200 OK']);
  },
);

/** The first line of the answer, or why there is none. */
async function slowCall(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect');
    await sleep(SILENT_MS);
    socket.end('GET /healthz HTTP/1.1\r\nHost: control\r\nConnection: close\r\n\r\n');
    return (await text(socket)).split('\r\n')[0] ?? '';
  } catch (error) {
    return (error as Error).message;
  } finally {
    socket.destroy();
  }
}
