/**
 * Ports on which somebody listens for TCP, as the system lists them: connections to a steered port would go past him. Who
 * calls tries to bind those that he is about to steer, and no others, which for a range is the difference between one look
 * and thousands.
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

/** Those who listen come first, and nobody wants to read all connections. Pure. */
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
