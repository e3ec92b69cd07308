/** The two programs on every Ethernet interface of the network namespace, those that come later too. */
import { BPF_TCX_EGRESS, BPF_TCX_INGRESS } from '../../../linux/ebpf/abi.ts';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createLink } from '../../../linux/ebpf/calls.ts';
import { close, errnoName } from '../../../linux/ffi/libc.ts';
import { Netlink, NETLINK_ROUTE } from '../../../linux/netlink/socket.ts';
import { getInterfaces, readEthernet } from './interfaces.ts';
import { type Programs } from './programs.ts';

export interface Served {
  /** Serves those that are new, forgets those that are gone. */
  look(): void;
  close(): void;
}

/** Throws with a reason where the programs cannot be attached to any. */
export function serveInterfaces({ learn, carry }: Pick<Programs, 'learn' | 'carry'>): Served {
  closeLeft();
  const routing = new Netlink(NETLINK_ROUTE);
  /** By index; empty: this one takes no programs, and its packets go the long way. */
  const links = new Map<number, readonly number[]>();
  let refusal: string | undefined;

  /** order: nothing is carried that could not be learned anew. */
  function attach(index: number): readonly number[] {
    const fds: number[] = [];
    for (const [attachType, program] of [
      [BPF_TCX_EGRESS, learn],
      [BPF_TCX_INGRESS, carry],
    ] as const) {
      const fd = createLink(program, index, attachType);
      if (fd >= 0) fds.push(fd);
      else {
        refusal = errnoName(fd);
        closeAll(fds);
        return [];
      }
    }
    return fds;
  }

  function look(): void {
    const gone = new Set(links.keys());
    const found: number[] = [];
    routing.dump(getInterfaces(), (view, body, end) => {
      const index = readEthernet(view, body, end);
      if (index === undefined) return;
      gone.delete(index);
      if (!links.has(index)) found.push(index);
    });
    for (const index of found) links.set(index, attach(index));
    for (const index of gone) {
      closeAll(links.get(index) ?? []);
      links.delete(index);
    }
  }

  function closeLinks(): void {
    links.forEach(closeAll);
    links.clear();
    routing.close();
  }

  look();
  if (refusal !== undefined && links.values().every(({ length }) => length === 0)) {
    closeLinks();
    throw new Error(`its programs cannot be attached: ${refusal} (it needs Linux 6.6)`);
  }
  return { look, close: closeLinks };
}

/**
 * Descriptors are the process's: a thread that died has left its links, and its programs would go on carrying packets that nobody
 * counts. Nobody else in an edge attaches to interfaces.
 */
function closeLeft(): void {
  for (const fd of readdirSync('/proc/self/fdinfo')) {
    const path = `/proc/self/fdinfo/${fd}`;
    if (existsSync(path) && readFileSync(path, 'latin1').includes('link_type:\ttcx')) close(Number(fd));
  }
}

function closeAll(fds: readonly number[]): void {
  for (const fd of fds) close(fd);
}
