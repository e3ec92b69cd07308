/** What the doctor says of the uring engine on this machine: whether it works, and for how many connections. Pure. */
import type { UringFacts } from '../../engines/uring/engine.ts';
import { type Finding, ok, warn } from '../../observe/finding.ts';

/** limit: below this many a worker is full before a core is busy. */
const COMFORTABLE = 4_096;

export function uringFindings({ why, workers, share, limit, locked, perPort }: UringFacts): Finding[] {
  if (why !== undefined) return [warn('uring engine', why, 'Until then the node engine does its work.')];
  const room = `${workers} workers, each up to ${share.slots} TCP connections or ${share.descriptors} UDP sessions`;
  const from = limit === Infinity ? 'no limit of open files' : `of ${limit} open files`;
  const works = ok(
    'uring engine',
    `io_uring works here; the ${Math.round(locked / 1024)} KiB that its rings lock can be had`,
  );
  const capacity =
    share.slots >= COMFORTABLE
      ? ok('uring capacity', `${room} (${from})`)
      : warn('uring capacity', `${room} (${from})`, 'Raise the hard limit of open files: LimitNOFILE=1048576.');
  return [works, capacity, rangeFinding(workers, perPort)];
}

function rangeFinding(workers: number, perPort: string | undefined): Finding {
  const about = 'wide port ranges';
  if (perPort === undefined)
    return ok(about, `of TCP: ${workers} sockets (one per worker) for each entry address, behind eBPF sk_lookup`);
  return warn(
    about,
    `a socket per port: ${perPort}`,
    'Only if rules have thousands of TCP ports: give CAP_BPF and CAP_NET_ADMIN (deploy/edgefour.service).',
  );
}
