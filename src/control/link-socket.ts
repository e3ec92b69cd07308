/** The Unix socket in the data folder that edges of this machine join through. Who may open the file may connect. */
import { chmodSync, rmSync } from 'node:fs';
import { Usage } from '../config/usage.ts';
import { http } from '../lib/node-http.ts';
import type { LinkServer } from './link-server.ts';

export interface LinkSocket {
  /** Cuts all streams. May be called twice. */
  close(): Promise<void>;
}

/** The caller holds control's lock, so a socket file that is there is left from a control that was killed. */
export async function listenForEdges(path: string, link: LinkServer): Promise<LinkSocket> {
  // A stream never ends by itself, so no time is too long for a request.
  const server = http.createServer({ requestTimeout: 0 }, (request, response) => {
    if (!link.handle(request, response)) response.writeHead(404).end();
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Usage(`Can't make the socket ${path} (${error.code}). Choose another data folder with --data FOLDER.`),
      );
    });
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    async close() {
      await link.close();
      if (!server.listening) return;
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await closed;
    },
  };
}
