/**
 * Ports on which a socket listens for TCP, as the system lists them: connections to a steered port would go past it.
 * ranges.ts tries to bind only those of a range, which is the difference between one look and thousands. It refuses to say
 * whose they are.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK = 1 << 16;
/** A row: number, local address and port, remote ones, state. */
const LISTENS = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A /;

/** In this thread's network namespace, whatever the address. */
export function listeningPorts(): Set<number> {
  const ports = new Set<number>();
  for (const name of ['tcp', 'tcp6'])
    for (const port of portsIn(rows(`/proc/thread-self/net/${name}`))) ports.add(port);
  return ports;
}

/** Listening sockets come first; the connections behind them are not read. Pure. */
export function* portsIn(table: Iterable<string>): Generator<number> {
  let isHead = true;
  for (const row of table) {
    const port = LISTENS.exec(row)?.[1];
    if (port !== undefined) yield Number.parseInt(port, 16);
    else if (!isHead) return;
    isHead = false;
  }
}

/** None where there is no such file: a machine without IPv6. */
function* rows(path: string): Generator<string> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return;
  }
  const chunk = Buffer.alloc(CHUNK);
  try {
    let rest = '';
    for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk)) {
      const lines = (rest + chunk.toString('latin1', 0, length)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    closeSync(fd);
  }
}
