/**
 * Can this machine run the engine? One line says what is missing and what to change; nothing else in this folder needs to
 * ask again. The question is put to the kernel itself, by making a small ring, because a number of a version says little
 * about a container.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, endianness } from 'node:os';
import { descriptorLimit } from '../../../linux/descriptors.ts';
import { LEAST_SHARE, lockedBytes, shareOf, unreserved } from '../worker/budget.ts';

/** `undefined`: it can. Never throws. */
export async function whyUnavailable(workers = availableParallelism()): Promise<string | undefined> {
  if (process.platform !== 'linux') return `io_uring needs Linux; this is ${process.platform}`;
  if (endianness() !== 'LE') return 'the engine is written for little-endian machines';
  const release = readText('/proc/sys/kernel/osrelease');
  if (!atLeast(release, 6, 1)) return `io_uring as used here needs Linux 6.1 or newer; this is ${release}`;
  const loaded = await Promise.all([import('./ring.ts'), import('../../../linux/ffi/libc.ts')]).catch(() => undefined);
  if (!loaded) return `koffi has no binary for ${process.platform}-${process.arch}; reinstall the packages (npm ci)`;
  const [{ Ring }, { errnoName }] = loaded;
  const made = Ring.create(8);
  if (typeof made !== 'number') {
    made.close();
    const lack = descriptorLack(descriptorLimit(), workers);
    return lack ?? memoryLack(readText('/proc/self/status'), readText('/proc/self/limits'), workers);
  }
  return refusal(errnoName(made), readText('/proc/sys/kernel/io_uring_disabled'));
}

/** What a refusal of io_uring_setup(2) means, in one line. Pure; exported for its test. */
export function refusal(error: string, disabled: string): string {
  if (disabled === '2') return 'io_uring is switched off: set sysctl kernel.io_uring_disabled=0 (it is 2)';
  if (error === 'EPERM' && disabled === '1')
    return 'io_uring is for privileged processes only: set sysctl kernel.io_uring_disabled=0 (it is 1) or join kernel.io_uring_group';
  if (error === 'EPERM' || error === 'EACCES')
    return 'io_uring_setup is forbidden here, probably by a seccomp profile: allow io_uring_setup, io_uring_enter and io_uring_register';
  if (error === 'ENOSYS') return 'this kernel was built without io_uring (CONFIG_IO_URING)';
  if (error === 'ENOMEM') return 'no memory for a ring: raise the limit of locked memory (ulimit -l)';
  return `io_uring_setup failed: ${error}`;
}

const CAP_IPC_LOCK = 14n;

/** Rings and what they are given buffers from count as locked memory of the user. Pure; exported for its test. */
export function memoryLack(status: string, limits: string, workers: number): string | undefined {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  if ((BigInt(`0x${mask}`) >> CAP_IPC_LOCK) & 1n) return undefined;
  const most = Number(/^Max locked memory\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  const needed = lockedBytes(workers);
  if (needed <= most) return undefined;
  const kib = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;
  return `its rings take ${kib(needed)} of locked memory and ${kib(most)} may be had: raise that limit (LimitMEMLOCK=infinity in the unit, or ulimit -Hl)`;
}

/** A worker without room for connections dies, and the next one too. Pure; exported for its test. */
export function descriptorLack(limit: number, workers: number): string | undefined {
  const { descriptors } = shareOf(unreserved(limit), workers);
  if (descriptors >= LEAST_SHARE) return undefined;
  return `the process may have ${limit} open files, which leaves ${descriptors} for each of ${workers} workers, and ${LEAST_SHARE} are the least: raise the hard limit (LimitNOFILE=1048576 in the unit, or ulimit -Hn)`;
}

function atLeast(release: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
