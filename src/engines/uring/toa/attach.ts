/**
 * TOA as the agent's thread sees it: can it be done here, and if so, the handles that workers need. The probe loads the
 * program and makes the cgroup, which is harmless; the process moves in only with the first TOA rule. Called by
 * engine.ts. It refuses to touch a connection.
 */
import { close, errnoName, openFile } from '../../../linux/ffi/libc.ts';
import type { ToaHandles } from '../worker/messages.ts';
import { TOA_KINDS } from '../../pass-through/toa.ts';
import { attachToCgroup, createSocketStorage, loadSockOps } from './bpf.ts';
import { makeCgroup } from './cgroup.ts';
import { VALUE_BYTES, toaProgram } from './program.ts';

type Kinds = Readonly<Record<keyof typeof TOA_KINDS, number>>;

export interface ToaAttachment {
  readonly handles: ToaHandles;
  /** Sockets opened from now on carry the option where a worker asks for it. Twice is fine. Throws with a reason. */
  enter(): void;
  detach(): void;
}

/** A reason, in words, where it can't be done. */
export function attachToa(kinds: Kinds = TOA_KINDS): ToaAttachment | string {
  const open: number[] = [];
  const keep = (fd: number, what: string): number => {
    if (fd < 0) throw new Error(`${what}: ${errnoName(fd)}`);
    open.push(fd);
    return fd;
  };
  const undo = (): void => open.splice(0).forEach((fd) => close(fd));
  let cgroup: ReturnType<typeof makeCgroup> | undefined;
  try {
    const mapFd = keep(
      createSocketStorage(VALUE_BYTES),
      'TOA needs CAP_BPF and CAP_NET_ADMIN; the kernel refuses its map',
    );
    const program = keep(
      loadSockOps(toaProgram(mapFd)),
      'TOA needs CAP_BPF and CAP_NET_ADMIN; the kernel refuses its program',
    );
    cgroup = makeCgroup();
    const folder = keep(openFile(cgroup.path, 0), 'TOA needs its cgroup');
    keep(attachToCgroup(program, folder), 'TOA needs CAP_NET_ADMIN; its program cannot be attached');
    const own = cgroup;
    let entered = false;
    return {
      handles: { mapFd, kindV4: kinds.v4, kindV6: kinds.v6 },
      enter() {
        if (!entered) own.enter();
        entered = true;
      },
      detach() {
        own.leave(entered);
        undo();
      },
    };
  } catch (error) {
    cgroup?.leave(false);
    undo();
    return reason(error);
  }
}

function reason(error: unknown): string {
  const { code, path, message } = error as NodeJS.ErrnoException;
  return code && path ? `TOA needs a writable cgroup v2: ${code} at ${path}` : message;
}
