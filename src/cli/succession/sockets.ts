/**
 * The sockets that go from one process to the next, as answers at the door and as what a role gets from them. Loads what
 * needs Linux only when it is asked for. Called by the roles.
 */
import { Inherited } from '../../handoff/inherited.ts';
import type { Answer } from '../../handoff/predecessor.ts';

/** What makes the running process's answers. */
export async function answers() {
  const [door, sockets] = await Promise.all([import('../../handoff/door.ts'), import('../../handoff/listeners.ts')]);
  const { listeners, duplicate } = sockets;
  return { listeners, duplicate, partsOf: door.partsOf };
}

/** The sockets that came with an answer, by what they are bound to. What else came is closed. */
export async function inherit({ parts }: Answer): Promise<Inherited> {
  const [{ listeningAt }, { close }] = await Promise.all([
    import('../../handoff/listeners.ts'),
    import('../../linux/ffi/libc.ts'),
  ]);
  const sockets = parts.flatMap(({ descriptors }) =>
    descriptors.flatMap((fd) => {
      const listening = listeningAt(fd);
      if (!listening) close(fd);
      return listening ?? [];
    }),
  );
  return Inherited.of(sockets);
}

/** Closes what this process did not take: new connections there are refused from now on. */
export function closeRest(inherited: Inherited): Promise<void> {
  return closeAll(inherited.takeRest().map(({ fd }) => fd));
}

export async function closeAll(fds: readonly number[]): Promise<void> {
  if (fds.length === 0) return;
  const { close } = await import('../../linux/ffi/libc.ts');
  for (const fd of fds) close(fd);
}
