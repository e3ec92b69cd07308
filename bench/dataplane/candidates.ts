/**
 * Who takes part, and with which settings: each peer gets the best honest ones for a plain TCP and UDP relay. HAProxy
 * runs twice, because splicing helps its streams and hurts its messages; nginx twice, because big buffers help its
 * streams and cost memory, and because `multi_accept` makes it cheaper until a flood of datagrams starves its replies.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENTRY, ORIGIN } from './topology.ts';

export interface Candidate {
  readonly name: string;
  /** Runs in the foreground in the proxy's namespace; `undefined`: no proxy, the client talks to the origin. */
  readonly command: readonly string[] | undefined;
  readonly threads: number;
  readonly udp: boolean;
}

export const NO_PROXY = 'no proxy';
/** Entry port → origin port. */
export const PORTS: Readonly<Record<number, number>> = { 7000: 9000, 7001: 9001, 7002: 9002, 7100: 9100 };
const TCP_PORTS = [7000, 7001, 7002];

/** Writes the peers' configurations into `folder`. */
export function candidates(folder: string, threads: number): Candidate[] {
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const serve = (engine: string, records: number): string[] => [
    process.execPath,
    join(import.meta.dirname, 'serve.ts'),
    engine,
    `${threads}`,
    `${records}`,
    ...Object.entries(PORTS).map(
      ([from, to]) => `${ENTRY}:${from}=${ORIGIN}:${to}${TCP_PORTS.includes(Number(from)) ? '' : '/udp'}`,
    ),
  ];
  const haproxy = (name: string, splicing: boolean): Candidate => ({
    name,
    command: ['haproxy', '-db', '-f', write(`${name}.cfg`, haproxyConfig(threads, splicing))],
    threads,
    udp: false,
  });
  const nginx = (name: string, buffer: string): Candidate => ({
    name,
    command: ['nginx', '-c', write(`${name}.conf`, nginxConfig(threads, buffer, folder))],
    threads,
    udp: true,
  });
  return [
    { name: NO_PROXY, command: undefined, threads, udp: true },
    { name: 'edgefour uring', command: serve('uring', 0), threads, udp: true },
    { name: 'edgefour uring, all records', command: serve('uring', 1), threads, udp: true },
    haproxy('haproxy splice', true),
    haproxy('haproxy', false),
    nginx('nginx 16k', '16k'),
    nginx('nginx 128k', '128k'),
    { name: 'edgefour kernel', command: serve('kernel', 0), threads, udp: true },
    { name: 'edgefour kernel, all records', command: serve('kernel', 1), threads, udp: true },
    { name: 'edgefour node', command: serve('node', 0), threads, udp: true },
  ];
}

function haproxyConfig(threads: number, splicing: boolean): string {
  const listen = TCP_PORTS.map(
    (port) => `
listen l${port}
  bind ${ENTRY}:${port} backlog 65535
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

function nginxConfig(threads: number, buffer: string, folder: string): string {
  const tcp = TCP_PORTS.map(
    (port) => `  server { listen ${ENTRY}:${port} reuseport backlog=65535; proxy_pass ${ORIGIN}:${PORTS[port]}; }`,
  );
  return `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root;
worker_processes ${threads};
error_log /dev/null;
pid ${folder}/nginx.pid;
daemon off;
events { worker_connections 18000; use epoll;${buffer === '16k' ? ' multi_accept on;' : ''} }
stream {
  access_log off;
  proxy_buffer_size ${buffer};
  tcp_nodelay on;
  proxy_connect_timeout 5s;
  proxy_timeout 300s;
${tcp.join('\n')}
  server { listen ${ENTRY}:7100 udp reuseport rcvbuf=16m sndbuf=16m; proxy_pass ${ORIGIN}:9100; proxy_timeout 30s; }
}
`;
}
