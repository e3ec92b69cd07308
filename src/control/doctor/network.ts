/** Whether the addresses and ports of the settings can be had, by trying: each is bound for a moment and let go. */
import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import type { HostPort } from '../../config/values.ts';
import { hostAt, hostRange, parseCidr } from '../../lib/net/cidr.ts';
import { bad, type Finding, ok, warn } from '../../observe/finding.ts';

export async function entryFinding(network: string): Promise<Finding> {
  const address = firstHost(network);
  const about = `entry ${network}`;
  const error = (await tryTcp(address, 0)) ?? (await tryUdp(address, 0));
  if (error === undefined) return ok(about, `${address} can be bound`);
  const device = isIPv6(address) ? `ip -6 addr add ${network} dev …` : `ip addr add ${network} dev …`;
  if (error === 'EADDRNOTAVAIL')
    return bad(about, `${address} is no address of this machine`, `Add it (${device}) or change --addresses.`);
  return bad(about, `${address} can't be bound (${error})`, 'Change --addresses.');
}

/** `running`: the EdgeFour of this data folder has it, so taken is right. */
export async function portFinding(
  about: string,
  at: HostPort,
  udp: boolean,
  flag: string,
  running: boolean,
): Promise<Finding> {
  const where = `${at.host}:${at.port}`;
  const error = (await tryTcp(at.host, at.port)) ?? (udp ? await tryUdp(at.host, at.port) : undefined);
  if (error === undefined) return ok(about, `${where} is free`);
  if (error === 'EADDRINUSE' && running) return ok(about, `${where} is this EdgeFour's`);
  const taken = error === 'EADDRINUSE' ? 'is taken by another program' : `can't be bound (${error})`;
  return bad(about, `${where} ${taken}`, `Choose another with --${flag}.`);
}

export function firstHost(network: string): string {
  const cidr = parseCidr(network);
  return cidr ? hostAt(hostRange(cidr), 0) : network;
}

function tryTcp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function tryUdp(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error.code ?? error.message);
    });
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

/** A privileged port that a rule may want, tried on the first entry address. */
export async function port443Finding(network: string): Promise<Finding> {
  const address = firstHost(network);
  const error = await tryTcp(address, 443);
  if (error === undefined || error === 'EADDRINUSE')
    return ok('port 443', error ? `in use at ${address}` : `free at ${address}`);
  return warn('port 443', `can't be bound at ${address} (${error})`, 'See docs/how-to/port-443.md.');
}
