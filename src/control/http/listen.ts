/**
 * The listening socket of control's port: bound or inherited, and its address as clients may use it. Refuses with what to change.
 * Called by http.ts.
 */
import type { Server } from 'node:http';
import { Usage } from '../../config/usage.ts';
import type { HostPort } from '../../config/values.ts';
import type { Inherited } from '../../handoff/inherited.ts';

export interface ListenOptions {
  readonly listen: HostPort;
  /** What to change when the port is taken: the flag's name. */
  readonly setting: string;
  readonly inherited?: Inherited | undefined;
}

/** Throws Usage where the address can't be had. */
export function listen(server: Server, { listen: { host, port }, setting, inherited }: ListenOptions): Promise<void> {
  const fd = inherited?.takeOne('TCP', host, port);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Usage(cantListen(error, host, port, setting))));
    server.listen(fd === undefined ? { port, host } : { fd }, resolve);
  });
}

function cantListen(error: NodeJS.ErrnoException, host: string, port: number, setting: string): string {
  const where = `${hostText(host)}:${port}`;
  const choose = `choose another with --${setting} HOST:PORT`;
  if (error.code === 'EADDRINUSE') return `${where} is taken by another program. End that one, or ${choose}.`;
  if (error.code === 'EACCES')
    return `${where} needs a privilege this user doesn't have. See docs/how-to/port-443.md, or ${choose}.`;
  if (error.code === 'EADDRNOTAVAIL') return `${host} is no address of this machine; ${choose}.`;
  return `Can't listen on ${where} (${error.code ?? error.message}); ${choose}.`;
}

/** The host for a URL. A client on this machine can't be told to connect to "any address". */
export function reachable(bound: string): string {
  if (bound === '0.0.0.0') return '127.0.0.1';
  if (bound === '::') return '[::1]';
  return hostText(bound);
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
