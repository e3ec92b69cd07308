/**
 * The candidates and their settings: each peer gets the best honest ones for a plain TCP and UDP relay. HAProxy
 * runs twice, because splicing helps its streams and hurts its messages; nginx twice, because big buffers help its
 * streams and cost memory, and because `multi_accept` makes it cheaper until a flood of datagrams starves its replies.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ORIGIN, entryOf, proxyPlace } from './topology.ts';
import type { Place } from './topology.ts';

export interface Candidate {
  readonly name: string;
  /** Where it runs, and where clients find it; without a proxy these are the origin's address and ports. */
  readonly place: Place;
  readonly address: string;
  /** Runs in the foreground; `undefined`: no proxy, the client talks to the origin. */
  readonly command: readonly string[] | undefined;
  readonly udp: boolean;
}

export const NO_PROXY = 'no proxy';
/** Entry port → origin port. */
export const PORTS: Readonly<Record<number, number>> = { 7000: 9000, 7001: 9001, 7002: 9002, 7100: 9100, 7101: 9101 };
const TCP_PORTS = [7000, 7001, 7002];

interface Kind {
  readonly name: string;
  readonly udp: boolean;
  readonly command?: (entry: string) => readonly string[];
}

/** Those whose name is `wanted`, each on a machine of its own; writes the peers' configurations into `folder`. */
export function candidates(folder: string, threads: number, wanted: (name: string) => boolean): Candidate[] {
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const ours = (name: string, engine: string, records: number): Kind => ({
    name: `edgefour ${name}`,
    udp: true,
    command: (entry) => [
      process.execPath,
      join(import.meta.dirname, 'serve.ts'),
      engine,
      `${threads}`,
      `${records}`,
      ...Object.entries(PORTS).map(
        ([from, to]) => `${entry}:${from}=${ORIGIN}:${to}${TCP_PORTS.includes(Number(from)) ? '' : '/udp'}`,
      ),
    ],
  });
  const haproxy = (name: string, splicing: boolean): Kind => ({
    name,
    udp: false,
    command: (entry) => ['haproxy', '-db', '-f', write(`${name}.cfg`, haproxyConfig(entry, threads, splicing))],
  });
  const nginx = (name: string, buffer: string): Kind => ({
    name,
    udp: true,
    command: (entry) => ['nginx', '-c', write(`${name}.conf`, nginxConfig(entry, threads, buffer, join(folder, name)))],
  });
  const kinds: readonly Kind[] = [
    { name: NO_PROXY, udp: true },
    ours('uring', 'uring', 0),
    ours('uring, all records', 'uring', 1),
    haproxy('haproxy splice', true),
    haproxy('haproxy', false),
    nginx('nginx 16k', '16k'),
    nginx('nginx 128k', '128k'),
    ours('kernel', 'kernel', 0),
    ours('kernel, all records', 'kernel', 1),
    ours('node', 'node', 0),
  ];
  return kinds
    .filter(({ name }) => wanted(name))
    .map(({ name, udp, command }, i) => {
      const address = command ? entryOf(i) : ORIGIN;
      return { name, udp, address, place: proxyPlace(i), command: command?.(address) };
    });
}

function haproxyConfig(entry: string, threads: number, splicing: boolean): string {
  const listen = TCP_PORTS.map(
    (port) => `
listen l${port}
  bind ${entry}:${port} backlog 65535
  server origin ${ORIGIN}:${PORTS[port]}`,
  );
  return `global
  maxconn 7000
  nbthread ${threads}
  tune.pipesize 1048576
  tune.maxpollevents 512
defaults
  mode tcp${splicing ? '\n  option splice-request\n  option splice-response' : ''}
  option redispatch
  timeout connect 5s
  timeout client 300s
  timeout server 300s
${listen.join('\n')}
`;
}

function nginxConfig(entry: string, threads: number, buffer: string, state: string): string {
  const tcp = TCP_PORTS.map(
    (port) => `  server { listen ${entry}:${port} reuseport backlog=65535; proxy_pass ${ORIGIN}:${PORTS[port]}; }`,
  );
  const udp = Object.entries(PORTS)
    .filter(([from]) => !TCP_PORTS.includes(Number(from)))
    .map(
      ([from, to]) =>
        `  server { listen ${entry}:${from} udp reuseport rcvbuf=16m sndbuf=16m; proxy_pass ${ORIGIN}:${to}; proxy_timeout 30s; }`,
    );
  return `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root;
worker_processes ${threads};
error_log /dev/null;
pid "${state}.pid";
daemon off;
events { worker_connections 18000; use epoll;${buffer === '16k' ? ' multi_accept on;' : ''} }
stream {
  access_log off;
  proxy_buffer_size ${buffer};
  tcp_nodelay on;
  proxy_connect_timeout 5s;
  proxy_timeout 300s;
${tcp.join('\n')}
${udp.join('\n')}
}
`;
}
