/**
 * A cgroup of the edge's own, so that the program sees the edge's sockets and no others. A child of the cgroup that the
 * process is in; the process goes there with all its threads, and back when the engine stops. It refuses to make any
 * hierarchy. Called by attach.ts.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const PREFIX = 'edgefour-toa-';

interface OwnCgroup {
  readonly path: string;
  /** From now on new sockets of this process belong to it. Throws where the system refuses. */
  enter(): void;
  /** The cgroup is removed, after the process went back (`inside`) to where it was. Never throws. */
  leave(inside: boolean): void;
}

/** The folder of the cgroup v2 that this process is in; otherwise why it cannot be used. */
export function ownCgroupFolder(mountinfo: string, cgroups: string): { folder: string } | { missing: string } {
  const mount = mountinfo.split('\n').flatMap((line) => {
    const [head = '', tail = ''] = line.split(' - ');
    return tail.startsWith('cgroup2 ') ? [head.split(' ')] : [];
  })[0];
  const inside = /^0::(.*)$/m.exec(cgroups)?.[1];
  if (!mount || inside === undefined) return { missing: 'no cgroup v2 hierarchy is mounted here' };
  const [root = '/', at = ''] = [mount[3], mount[4]];
  const below = root !== '/' && inside.startsWith(root) ? inside.slice(root.length) : inside;
  return { folder: join(at, below).replace(/\/$/, '') };
}

/** Throws where the folder can't be made: the caller's reason. */
export function makeCgroup(): OwnCgroup {
  const found = ownCgroupFolder(readText('/proc/self/mountinfo'), readText('/proc/self/cgroup'));
  if ('missing' in found) throw new Error(found.missing);
  accessSync(join(found.folder, 'cgroup.procs'), constants.W_OK);
  sweep(found.folder);
  const path = join(found.folder, `${PREFIX}${process.pid}`);
  mkdirSync(path, { recursive: true });
  return {
    path,
    enter: () => writeFileSync(join(path, 'cgroup.procs'), '0'),
    leave(inside) {
      try {
        if (inside) writeFileSync(join(found.folder, 'cgroup.procs'), '0');
        rmdirSync(path);
      } catch {
        // Whatever is left is empty; the next start sweeps it.
      }
    },
  };
}

/** Whether it is the cgroup of a process that is gone: a living edge enters its own only with its first TOA rule. Pure. */
export function isAbandoned(name: string, lives: (pid: string) => boolean): boolean {
  return name.startsWith(PREFIX) && !lives(name.slice(PREFIX.length));
}

/** Removes those of processes that are gone; one with a process in it can't be removed. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!isAbandoned(name, (pid) => existsSync(`/proc/${pid}`))) continue;
    try {
      rmdirSync(join(folder, name));
    } catch {
      // Busy: another edge lives in it.
    }
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
