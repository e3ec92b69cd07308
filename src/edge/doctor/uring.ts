/** What the uring engine finds on this machine: whether it works, and for how many connections. Pure but for uringFacts. */
import { availableParallelism } from 'node:os';
import { type Finding, ok, warn } from '../../observe/finding.ts';

export interface UringFacts {
  /** Why it can't run. */
  readonly why: string | undefined;
  /** As the engine itself derives them. */
  readonly workers: number;
  readonly share: { readonly descriptors: number; readonly slots: number };
  /** Descriptors that the process may have. */
  readonly limit: number;
  /** Bytes of locked memory, for a user whose locked memory is limited. */
  readonly locked: number;
  /** Why a wide range of TCP ports takes a socket per port. */
  readonly perPort: string | undefined;
}

/** The kernel is asked, by making a ring; a container may forbid what the version has. */
export async function uringFacts(): Promise<UringFacts> {
  const [{ whyUnavailable }, { lockedBytes, shareOf, unreserved }, { descriptorLimit }] = await Promise.all([
    import('../../engines/uring/ring/probe.ts'),
    import('../../engines/uring/worker/budget.ts'),
    import('../../linux/descriptors.ts'),
  ]);
  const [workers, limit] = [availableParallelism(), descriptorLimit()];
  const share = shareOf(unreserved(limit), workers);
  const why = await whyUnavailable(workers);
  // order: only where the engine can run, because the file needs what that needs.
  const perPort = why ?? (await import('../../engines/uring/steer/ranges.ts')).whyPerPort();
  return { why, workers, share, limit, locked: lockedBytes(workers), perPort };
}

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
