/**
 * Thousands of short connections for a few microseconds each: an origin and its clients on threads of their own that do
 * nothing but call the system, and wait in it. Linux only. It is its own worker.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { sockaddr } from '../../../src/linux/sockaddr.ts';
import {
  accept4,
  bindTo,
  close,
  connect,
  getsockname,
  listen,
  recv,
  send,
  shutdown,
  socket,
} from '../../../src/linux/ffi/libc.ts';

interface QuickOrigin {
  readonly address: string;
  readonly port: number;
  /** The ports that its connections came from, in their order, once so many have ended. */
  readonly sources: Promise<readonly number[]>;
}

type Role =
  | { readonly role: 'origin'; readonly address: string; readonly count: number }
  | { readonly role: 'client'; readonly address: string; readonly port: number; readonly count: number };

const [AF_INET, SOCK_STREAM, SHUT_WR] = [2, 1, 1];

function start(role: Role): Worker {
  return new Worker(new URL(import.meta.url), { workerData: role });
}

/** An origin of exactly so many connections. */
export async function quickOrigin(address: string, count: number): Promise<QuickOrigin> {
  const worker = start({ role: 'origin', address, count });
  const [port] = (await once(worker, 'message')) as [number];
  const sources = once(worker, 'message').then(([ports]) => ports as readonly number[]);
  return { address, port, sources };
}

/** Resolves with how many were served, by so many clients one after the other each. */
export async function quickConnects(address: string, port: number, count: number, clients: number): Promise<number> {
  const all = Array.from({ length: clients }, async () => {
    const worker = start({ role: 'client', address, port, count: count / clients });
    const [served] = (await once(worker, 'message')) as [number];
    return served;
  });
  return (await Promise.all(all)).reduce((a, b) => a + b, 0);
}

function beOrigin(address: string, count: number): void {
  const listening = socket(AF_INET, SOCK_STREAM, 0);
  const name = sockaddr(address, 0);
  bindTo(listening, name, name.length);
  listen(listening, 1024);
  const length = Int32Array.of(name.length);
  getsockname(listening, name, length);
  parentPort?.postMessage(portOf(name));
  const sources = new Uint16Array(count);
  const byte = new Uint8Array(1);
  for (let i = 0; i < count; i++) {
    const fd = accept4(listening, name, length, 0);
    sources[i] = portOf(name);
    while (recv(fd, byte, 1, 0) > 0);
    close(fd);
  }
  close(listening);
  parentPort?.postMessage([...sources]);
}

function beClient(address: string, port: number, count: number): void {
  const name = sockaddr(address, port);
  const byte = Uint8Array.of(120);
  let served = 0;
  for (let i = 0; i < count; i++) {
    const fd = socket(AF_INET, SOCK_STREAM, 0);
    const isUp = connect(fd, name, name.length) === 0 && send(fd, byte, 1, 0) === 1;
    shutdown(fd, SHUT_WR);
    if (isUp && recv(fd, byte, 1, 0) === 0) served++;
    close(fd);
  }
  parentPort?.postMessage(served);
}

function portOf(name: Uint8Array): number {
  return ((name[2] ?? 0) << 8) | (name[3] ?? 0);
}

if (!isMainThread && workerData && typeof workerData === 'object' && 'role' in workerData) {
  const role = workerData as Role;
  if (role.role === 'origin') beOrigin(role.address, role.count);
  else beClient(role.address, role.port, role.count);
}
