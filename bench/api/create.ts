/** The cost of a durable CreateL4Proxy, beside its two fixed parts: HTTP alone, and SQLite's commit alone. */
import { request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { signedHeaders } from '../../src/cli/client/sign.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type Cost, costOf, makeFolder, startControl } from './control.ts';
import { serve } from './process.ts';

const CALLS = 2_000;
const TOGETHER = [1, 16, 64];
/** Bytes of a CreateL4Proxy answer, headers aside. */
const ANSWER_BYTES = 90;

export async function measureCreate(): Promise<Record<string, unknown>> {
  const { folder, remove } = makeFolder();
  try {
    const control = await startControl(folder);
    const create = (name: string) =>
      control.client.call('CreateL4Proxy', { ZoneId: control.zone, ProxyName: name, Area: 'overseas' });
    await costOf(control.pid, 500, 16, (i) => create(`warm-${i}`));
    const api: Record<string, Cost> = {};
    for (const together of TOGETHER) {
      api[`${together} at a time`] = await costOf(control.pid, CALLS, together, (i) => create(`at-${together}-${i}`));
    }
    await control.stop();
    return {
      'CreateL4Proxy, durable': api,
      'node:http echo of the same bytes': await echo(),
      'SQLite alone, one commit of the same rows at a time': sqlite(join(folder.path, 'bare.sqlite'), 1),
      'SQLite alone, 16 commits in one transaction': sqlite(join(folder.path, 'bare16.sqlite'), 16),
    };
  } finally {
    remove();
  }
}

async function echo(): Promise<Record<string, Cost>> {
  const server = await serve('bench/api/echo.ts', [String(ANSWER_BYTES)], 'echo on');
  const url = `http://127.0.0.1:${server.said.split(' ').at(-1)}/`;
  const body = JSON.stringify({ ZoneId: 'zone-3kq782jghthh', ProxyName: 'at-16-1000', Area: 'overseas' });
  const pair = { secretId: `AKID${'x'.repeat(32)}`, secretKey: 'x'.repeat(32) };
  const call = { host: '127.0.0.1:7400', service: 'teo', version: '2022-09-01', action: 'CreateL4Proxy', body };
  const headers = signedHeaders({ ...call, now: systemClock.now() }, pair);
  const post = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', headers }, (response) => {
        response.on('data', () => {});
        response.on('end', () => resolve());
      });
      sent.on('error', reject);
      sent.end(body);
    });
  await costOf(server.pid, 500, 16, post);
  const costs: Record<string, Cost> = {};
  for (const together of TOGETHER) costs[`${together} at a time`] = await costOf(server.pid, CALLS, together, post);
  await server.stop();
  return costs;
}

/** The rows of one CreateL4Proxy, written as the store writes them, in this process and by nothing but SQLite. */
function sqlite(path: string, perTransaction: number): Cost {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE record (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT)');
  const add = db.prepare('INSERT INTO record VALUES (?, ?, ?)');
  const [begin, commit] = [db.prepare('BEGIN IMMEDIATE'), db.prepare('COMMIT')];
  const texts = [390, 60, 80].map((length) => 'x'.repeat(length));
  const before = process.cpuUsage();
  const began = systemClock.monotonic();
  for (let i = 0; i < CALLS;) {
    begin.run();
    for (let j = 0; j < perTransaction; j++, i++) {
      texts.forEach((text, place) => add.run(i * 65_536 + place, `proxy/zone-3kq782jghthh/at-${i}`, text));
    }
    commit.run();
  }
  const seconds = (systemClock.monotonic() - began) / 1_000;
  const cpu = process.cpuUsage(before);
  db.close();
  return {
    calls: CALLS,
    cpuUsPerCall: Math.round((cpu.user + cpu.system) / CALLS),
    callsPerSecond: Math.round(CALLS / seconds),
  };
}
