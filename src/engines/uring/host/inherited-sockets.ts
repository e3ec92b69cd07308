/**
 * Sockets that the process before this one bound, dealt to the workers of this one. Every one of them gets a worker, also
 * where there are fewer workers than before: the system goes on putting connections into a socket that nobody reads.
 */
import { close, fcntl, setsockopt } from '../../../linux/ffi/libc.ts';
import type { Inherited } from '../../../handoff/inherited.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import { F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, IPPROTO_TCP, O_NONBLOCK, TCP_NODELAY } from '../../../linux/abi.ts';

const ON = Int32Array.of(1);

/** Descriptors by worker; undefined: nothing is bound there. `only`: the worker that this point's socket is for. */
export function inheritPoint(
  point: BindPoint,
  sockets: Inherited | undefined,
  workers: number,
  only: number | undefined,
): number[][] | undefined {
  const taken = sockets?.take(point.key) ?? [];
  if (taken.length === 0) return undefined;
  if (point.protocol === 'UDP' && taken.some(({ fd }) => (fcntl(fd, F_GETFL, 0) & O_NONBLOCK) !== 0)) {
    // order: the node engine that has these still reads them, and would wait in one that we change; it closes them soon.
    for (const { fd } of taken) close(fd);
    return undefined;
  }
  for (const { fd } of taken) {
    // The node engine's are not blocking, and the ring would not wait in such a one.
    fcntl(fd, F_SETFL, 0);
    if (point.protocol === 'TCP') setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ON, 4);
  }
  const fds = taken.map(({ fd }) => fd);
  // not: of UDP. A client's datagrams all have to come to the worker that has its session.
  const isShared = point.protocol === 'TCP' && only === undefined;
  for (let i = 0; isShared && fds.length < workers; i++) {
    const more = fcntl(fds[i] ?? -1, F_DUPFD_CLOEXEC, 0);
    if (more < 0) break;
    fds.push(more);
  }
  return deal(fds, workers, only ?? 0);
}

/** As evenly as it goes, beginning with worker `first`. Pure. */
function deal(fds: readonly number[], workers: number, first: number): number[][] {
  const dealt: number[][] = Array.from({ length: workers }, () => []);
  for (const [i, fd] of fds.entries()) dealt[(first + i) % workers]?.push(fd);
  return dealt;
}
