/**
 * Tells systemd, where it has started this, that this process is the service now: systemd follows the running process, and
 * would end all with it. Does nothing elsewhere. Called by supervise.ts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { isUnderSystemd } from '../../config/systemd.ts';
import type { Log } from '../../observe/log.ts';

export async function tellSystemd(log: Log): Promise<void> {
  if (!isUnderSystemd()) return;
  // not: the datagram itself. Node has no sockets for it, and systemd takes it only from who is there until it is read.
  const teller = spawn('systemd-notify', [`MAINPID=${process.pid}`], { stdio: ['ignore', 'inherit', 'inherit'] });
  const reason = await once(teller, 'exit').then(
    ([code]) => (code === 0 ? undefined : `systemd-notify ended with ${code}`),
    (error: Error) => error.message,
  );
  if (reason === undefined) return;
  log.error('systemd was not told which process is the service now, and ends it with the old one', { reason });
}
