/**
 * The flows that a storm must not touch, and the origins that answer them; a process of its own, started by
 * uring-storm.ts with what is to be asked in argv as JSON. A flow asks a number, waits for the answer, asks the next one.
 * The answer names the origin and the socket by which it was asked, so a flow that was moved shows. Prints `up PORT` once
 * the origins are there, and after the line `go` and then each second a line of JSON: see Tally.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Plan {
  /** TCP and UDP, all on one port. */
  readonly origins: readonly string[];
  readonly tcp: readonly { readonly address: string; readonly port: number }[];
  readonly udp: readonly { readonly address: string; readonly port: number }[];
}

export interface Tally {
  readonly answered: number;
  /** TCP connections that ended; answers that came from elsewhere than the first; that were wrong or never came. */
  readonly closed: number;
  readonly moved: number;
  readonly lost: number;
  /** Milliseconds from question to answer, of this second. */
  readonly p50: number;
  readonly p99: number;
}

/** limit: a tenth of what a socket's buffer holds is asked at one moment, so nothing is lost for want of it. */
const TCP_PAUSE_MS = 200;
const UDP_PAUSE_MS = 500;
const LOST_AFTER_MS = 20_000;

const plan = JSON.parse(process.argv[2] ?? '{}') as Plan;
const tally = { answered: 0, closed: 0, moved: 0, lost: 0 };
let waits: number[] = [];
let isOver = false;

async function origin(address: string, port: number): Promise<number> {
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    let rest = '';
    socket.on('data', (bytes: Buffer) => {
      const lines = (rest + bytes.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) socket.write(`${line} ${address} ${socket.remotePort}\n`);
    });
  }).listen(port, address, 4096);
  await once(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  const datagrams = createSocket('udp4');
  datagrams.on('message', (bytes, from) =>
    datagrams.send(`${bytes.toString()} ${address} ${from.port}`, from.port, from.address),
  );
  datagrams.bind(bound, address);
  await once(datagrams, 'listening');
  return bound;
}

/** One flow: `ask` sends, `hear` is told each answer. */
function flow(pause: number, ask: (question: string) => void): (answer: string) => void {
  let number = 0;
  let home: string | undefined;
  let asked = 0;
  let late: NodeJS.Timeout | undefined;
  const next = (): void => {
    if (isOver) return;
    asked = performance.now();
    late = setTimeout(() => tally.lost++, LOST_AFTER_MS);
    ask(`${number}`);
  };
  setTimeout(next, Math.random() * pause);
  return (answer) => {
    const [given = '', address = '', port = ''] = answer.split(' ');
    home ??= `${address} ${port}`;
    clearTimeout(late);
    if (Number(given) !== number) tally.lost++;
    else if (home !== `${address} ${port}`) tally.moved++;
    else tally.answered++;
    waits.push(performance.now() - asked);
    number++;
    setTimeout(next, pause);
  };
}

function talkTcp(to: Plan['tcp'][number]): void {
  const socket = connect({ ...to, host: to.address, noDelay: true });
  const hear = flow(TCP_PAUSE_MS, (question) => void socket.write(`${question}\n`));
  let rest = '';
  socket.on('error', () => {});
  socket.on('close', () => (tally.closed += isOver ? 0 : 1));
  socket.on('data', (bytes: Buffer) => {
    const lines = (rest + bytes.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) hear(line);
  });
}

function talkUdp(to: Plan['udp'][number]): void {
  const socket = createSocket('udp4');
  const hear = flow(UDP_PAUSE_MS, (question) => socket.send(question, to.port, to.address));
  socket.on('message', (bytes) => hear(bytes.toString()));
}

let shared = 0;
for (const address of plan.origins) shared = await origin(address, shared);
process.stdout.write(`up ${shared}\n`);
const lines = createInterface({ input: process.stdin });
await once(lines, 'line');
for (const to of plan.tcp) {
  talkTcp(to);
  // limit: a burst of connects longer than a listen queue would be the system's refusal, not the engine's.
  if (plan.tcp.indexOf(to) % 50 === 49) await sleep(20);
}
for (const to of plan.udp) talkUdp(to);
lines.once('line', () => {
  isOver = true;
  process.exit(0);
});
for (;;) {
  await sleep(1000);
  const sorted = waits.toSorted((a, b) => a - b);
  waits = [];
  const at = (part: number): number => Math.round((sorted[Math.floor(part * sorted.length)] ?? 0) * 10) / 10;
  process.stdout.write(`${JSON.stringify({ ...tally, p50: at(0.5), p99: at(0.99) } satisfies Tally)}\n`);
}
