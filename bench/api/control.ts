/** A control of its own data folder, and a client that counts what its calls cost the server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { apiClient, type Client } from '../../src/cli/client/api-client.ts';
import { readCredentials } from '../../src/config/credentials.ts';
import { dataFolder, type DataFolder } from '../../src/config/data-folder.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { cpuMs, serve, type Server } from './process.ts';

interface Control extends Server {
  readonly client: Client;
  readonly zone: string;
}

/** Beside the checkout and not in /tmp, which may be memory: an fsync has to be one. */
export function makeFolder(): { readonly folder: DataFolder; readonly remove: () => void } {
  const path = mkdtempSync(join(import.meta.dirname, '..', '..', '.bench-'));
  return { folder: dataFolder(path), remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function startControl(folder: DataFolder): Promise<Control> {
  const settings = ['--listen', '127.0.0.1:0', '--dns', 'off', '--rate', '0', '--addresses', '127.0.0.0/8'];
  const server = await serve('src/cli/main.ts', ['control', '--data', folder.path, ...settings], 'API ');
  const api = /API (\S+?),/.exec(server.said)?.[1];
  const credentials = readCredentials(folder);
  if (!api || !credentials) throw new Error(`control said ${server.said}`);
  return { ...server, client: apiClient(api, credentials, () => systemClock.now()), zone: credentials.zoneId };
}

export interface Cost {
  readonly calls: number;
  readonly cpuUsPerCall: number;
  readonly callsPerSecond: number;
}

/** Runs `calls` calls, `together` at a time, and tells what each of them cost the process. */
export async function costOf(
  pid: number,
  calls: number,
  together: number,
  call: (i: number) => Promise<unknown>,
): Promise<Cost> {
  const cpu = cpuMs(pid);
  const began = systemClock.monotonic();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) await call(next++);
  };
  await Promise.all(Array.from({ length: together }, worker));
  const seconds = (systemClock.monotonic() - began) / 1_000;
  return {
    calls,
    cpuUsPerCall: Math.round(((cpuMs(pid) - cpu) * 1_000) / calls),
    callsPerSecond: Math.round(calls / seconds),
  };
}
