/**
 * The composition root of control. The ports come first, so that a refusal leaves nothing changed; requests wait until
 * what is behind them is open. Started by `edgefour control`, and in process by the test world.
 */
import process from 'node:process';
import type { DataFolder } from '../config/data-folder.ts';
import { removeIfPossible, writePatiently } from '../config/patient-file.ts';
import type { Config } from '../config/read.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Inherited } from '../handoff/inherited.ts';
import type { Program } from '../program/watch.ts';
import { type Rng, systemRng } from '../lib/rng.ts';
import type { Log } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import type { EdgeCopySource } from '../store/store.ts';
import { startControlDns } from './dns.ts';
import { controlDoors } from './http/doors.ts';
import type { HttpDoors } from './http/exchanges.ts';
import { startHttp } from './http/http.ts';
import { type Services, openServices } from './services.ts';

export interface Control {
  /** `http://HOST:PORT` for clients. */
  readonly api: string;
  readonly console: string;
  /** HOST:PORT, '' where it is off. */
  readonly dns: string;
  /** HOST:PORT as bound, for a restart on the same port. */
  readonly listen: string;
  readonly secretId: string;
  readonly secretKey: string;
  readonly zoneId: string;
  /** Its ports take no connection any more; resolves when those there are have been answered, so that `stop` cuts none. */
  readonly retire: () => Promise<void>;
  /** Answers what is under way, then ends everything. May be called twice. */
  readonly stop: () => Promise<void>;
}

export interface Tools {
  readonly log: Log;
  readonly clock?: Clock;
  readonly rng?: Rng;
  /** The records as an edge on this data folder keeps them: for a store that is damaged. */
  readonly edgeCopy?: EdgeCopySource | undefined;
  /** The code that this process was started from, for doctor to compare with the disk. */
  readonly program?: Program | undefined;
  /** The edge beside it, under `up`. */
  readonly edge?: string | undefined;
  /** Listening sockets of the control before this one. */
  readonly inherited?: Inherited | undefined;
}

/** The folder is checked and, where other processes could come, locked by the caller. Throws Usage or StoreUnusable. */
export async function startControl(config: Config, folder: DataFolder, tools: Tools): Promise<Control> {
  const { log, clock = systemClock, rng = systemRng, inherited, edge, edgeCopy, program } = tools;
  const metrics = createMetrics();
  const services = Promise.withResolvers<Services>();
  const doors = Promise.withResolvers<HttpDoors>();
  // order: on the way out the ports close before what is behind them, so both have a stack of their own.
  await using behind = new AsyncDisposableStack();
  await using ports = new AsyncDisposableStack();

  const open = (): Promise<Services> => openServices({ config, folder, log, metrics, clock, rng, edgeCopy }, behind);
  // order: with inherited ports it is the other way round. Clients that connect wait in them, and they go back where this fails.
  const early = inherited && (await open());
  const http = await startHttp(
    {
      listen: config.listen,
      setting: 'listen',
      clock,
      refused: (budget) => metrics.add('edgefour_budget_refusals_total', { budget }),
      inherited,
    },
    doors.promise,
  );
  ports.defer(() => http.stop());
  const dns =
    config.dns &&
    (await startControlDns({
      listen: config.dns,
      inherited,
      domain: config.domain,
      services: services.promise,
      clock,
      log,
      metrics,
    }));
  if (dns) ports.defer(() => dns.close());
  const retire = async (): Promise<void> => void (await Promise.all([http.retire(), dns?.retire()]));
  ports.defer(async () => {
    // The process before this one serves the ports on: clients that are connected here already are answered first.
    if (inherited?.hasBegun === false) await retire();
  });
  const opened = early ?? (await open());
  services.resolve(opened);
  const addresses = { api: http.origin, dns: dns ? hostAndPort(dns.address) : '' };
  doors.resolve(controlDoors(opened, { config, metrics, ...addresses, edge }));
  ports.use(noteRunning(folder, { ...addresses, pid: process.pid, program }, { clock, log }));

  const ending = new AsyncDisposableStack();
  ending.use(behind.move());
  ending.use(ports.move());
  return {
    ...addresses,
    console: `${addresses.api}/console`,
    listen: hostAndPort(http.address),
    ...opened.credentials,
    retire,
    stop: () => ending.disposeAsync(),
  };
}

/** By this file commands find a control that runs; gone when it ends. */
function noteRunning(
  { running }: Pick<DataFolder, 'running'>,
  control: object,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Disposable {
  const writing = writePatiently(running, `${JSON.stringify(control)}\n`, clock, (reason) =>
    log.warn('commands do not find this control by the data folder until it can be written', { reason }),
  );
  return {
    [Symbol.dispose]() {
      writing.cancel();
      removeIfPossible(running);
    },
  };
}

function hostAndPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
