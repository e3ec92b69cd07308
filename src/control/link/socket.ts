/** The Unix socket in the data folder that edges of this machine join through. A process that may open the file may connect. */
import { chmodSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { Usage } from '../../config/usage.ts';
import { http } from '../../lib/node-http.ts';
import { removeSpare, shortPath, sparePath } from '../../linux/socket-path.ts';
import type { Log } from '../../observe/log.ts';
import type { LinkServer } from './server.ts';

interface LinkSocket {
  /** Cuts all streams. May be called twice. */
  close(): Promise<void>;
}

/** The caller holds control's lock, so a socket file that is there is left from a control that was killed. */
export async function listenForEdges(path: string, link: LinkServer, log: Log): Promise<LinkSocket> {
  // A stream never ends by itself, so no time is too long for a request.
  const server = http.createServer({ requestTimeout: 0 }, (request, response) => {
    if (!link.handle(request, response)) response.writeHead(404).end();
  });
  const spare = await listenAt(server, path).then(
    () => undefined,
    async (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'ERR_FS_EISDIR'
          ? `${path} is a folder: remove it`
          : error.code || error.message.replace(/^[, ]+/, '');
      const other = sparePath(path, true);
      if (other === undefined) throw refusal(path, reason);
      await listenAt(server, other).catch(() => {
        throw refusal(path, reason);
      });
      log.warn('the socket for edges is not in the data folder', { reason, path: other });
      return other;
    },
  );
  if (spare === undefined) removeSpare(path);
  return {
    async close() {
      await link.close();
      if (!server.listening) return;
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await closed;
      if (spare !== undefined) removeSpare(path);
    },
  };
}

function refusal(path: string, reason: string): Usage {
  return new Usage(`Can't make the socket ${path} (${reason}). Choose another data folder with --data FOLDER.`);
}

async function listenAt(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  const short = shortPath(path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(short, () => {
      server.off('error', reject);
      resolve();
    });
  });
  chmodSync(path, 0o600);
}
