// Runs another Node in place of this one. Where this Node can replace itself (execve, Node 22.15 and newer) it does;
// otherwise it stays as a thin parent that passes signals down and the exit code up.
import { spawn } from 'node:child_process';
import process from 'node:process';

export function become(node, args) {
  if (typeof process.execve === 'function') return process.execve(node, [node, ...args], process.env);
  const child = spawn(node, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
