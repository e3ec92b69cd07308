/** A link that can be cut as a cable is: a socket between an edge and control over which nothing passes, and nothing ends. */
import { connect, createServer, type Socket } from 'node:net';

interface LinkBetween extends AsyncDisposable {
  readonly path: string;
  cut(): void;
  mend(): void;
}

/** Listens at `path` and passes everything on to the socket `to`. */
export async function linkBetween(path: string, to: string): Promise<LinkBetween> {
  const sockets = new Set<Socket>();
  let isCut = false;
  function pass(from: Socket, there: Socket): void {
    sockets.add(from);
    from
      .on('data', (part) => there.write(part))
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(from);
        there.destroy();
      });
    if (isCut) from.pause();
  }
  const server = createServer((near) => {
    const far = connect(to);
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  function all(cut: boolean): void {
    isCut = cut;
    for (const socket of sockets) {
      if (cut) socket.pause();
      else socket.resume();
    }
  }
  return {
    path,
    cut: () => all(true),
    mend: () => all(false),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
