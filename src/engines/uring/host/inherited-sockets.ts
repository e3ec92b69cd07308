/**
 * Takes sockets that the previous process bound, and deals them to the workers of this one. Each gets a worker, also where
 * there are fewer workers than before, because the system goes on putting connections into a socket that no worker reads.
 * It refuses to bind new ones. Called by bind.ts.
 */
import { close, fcntl, setsockopt } from '../../../linux/ffi/libc.ts';
import type { Inherited } from '../../../handoff/inherited.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import { F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, IPPROTO_TCP, O_NONBLOCK, TCP_NODELAY } from '../../../linux/abi.ts';

const ON = Int32Array.of(1);

/** The sockets by worker; undefined: none is bound there. `only`: the worker that gets the first one. */
export function inheritPoint(
  point: BindPoint,
  sockets: Inherited | undefined,
  workers: number,
  only: number | undefined,
): number[][] | undefined {
  const taken = sockets?.take(point.key) ?? [];
  if (taken.length === 0) return undefined;
  if (point.protocol === 'UDP' && taken.some(({ fd }) => (fcntl(fd, F_GETFL, 0) & O_NONBLOCK) !== 0)) {
    // order: the previous process's node engine still reads these, and would wait in one that we change; it closes them soon.
    for (const { fd } of taken) close(fd);
    return undefined;
  }
  for (const { fd } of taken) {
    // Sockets of a node engine do not block, and the ring would not wait in such a one.
    fcntl(fd, F_SETFL, 0);
    if (point.protocol === 'TCP') setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ON, 4);
  }
  const fds = taken.map(({ fd }) => fd);
  // not: of UDP. All datagrams of a client have to come to the worker that has its session.
  const isShared = point.protocol === 'TCP' && only === undefined;
  for (let i = 0; isShared && fds.length < workers; i++) {
    const more = fcntl(fds[i] ?? -1, F_DUPFD_CLOEXEC, 0);
    if (more < 0) break;
    fds.push(more);
  }
  return deal(fds, workers, only ?? 0);
}

/** Deals sockets evenly, beginning with worker `first`. Pure. */
export function deal(fds: readonly number[], workers: number, first: number): number[][] {
  const dealt: number[][] = Array.from({ length: workers }, () => []);
  for (const [i, fd] of fds.entries()) dealt[(first + i) % workers]?.push(fd);
  return dealt;
}
