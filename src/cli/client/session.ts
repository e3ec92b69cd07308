/**
 * From settings to a client of the right API with the right key pair: what is given wins, then what the data folder's
 * running control has left there. Every command that calls the API starts here.
 */
import { readFileSync } from 'node:fs';
import { type Credentials, readCredentials } from '../../config/credentials.ts';
import { dataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Program } from '../../program/watch.ts';
import { apiClient, type Client } from './api-client.ts';

interface Session {
  readonly client: Client;
  /** The zone that commands act on where none is named; '' where it is unknown. */
  readonly zoneId: string;
}

/** What a running control leaves in the data folder. */
interface RunningFile {
  readonly api: string;
  readonly dns: string;
  readonly pid: number;
  readonly program?: Program | undefined;
}

export function openSession(config: Config): Session {
  const kept = config.secretId === undefined ? readCredentials(dataFolder(config.data)) : undefined;
  const pair = pairOf(config, kept);
  const endpoint = config.endpoint ?? readRunning(config)?.api ?? 'http://127.0.0.1:7400';
  return { client: apiClient(endpoint, pair, () => systemClock.now()), zoneId: config.zone ?? kept?.zoneId ?? '' };
}

function pairOf(config: Config, kept: Credentials | undefined) {
  const secretId = config.secretId ?? kept?.secretId;
  const secretKey = config.secretKey ?? kept?.secretKey;
  if (secretId !== undefined && secretKey !== undefined) return { secretId, secretKey };
  const { path } = dataFolder(config.data);
  throw new Usage(
    `No key pair: ${path} has none. Name the data folder of the running EdgeFour with --data, or set EDGEFOUR_SECRET_ID and EDGEFOUR_SECRET_KEY.`,
  );
}

/** Where the control of this data folder listens; undefined where none runs. */
export function readRunning(config: Config): RunningFile | undefined {
  try {
    return JSON.parse(readFileSync(dataFolder(config.data).running, 'utf8')) as RunningFile;
  } catch {
    return undefined;
  }
}
