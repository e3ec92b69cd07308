// Runs another Node in place of this one, so that a signal, a kill and a process list see one process, not two. Where
// this Node can't replace itself it stays as a thin parent that passes signals down and the exit code up.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import process from 'node:process';

export function become(node, args, environment) {
  const env = { ...process.env, ...environment };
  try {
    replace(node, [node, ...args], env);
  } catch {
    // Not on this platform; below works everywhere.
  }
  const child = spawn(node, args, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Returns only where it could not be done. */
function replace(node, argv, env) {
  // Node 22.15 and newer can do it themselves.
  if (typeof process.execve === 'function') process.execve(node, argv, env);
  if (process.platform !== 'linux') return;
  const koffi = createRequire(import.meta.url)('koffi');
  const libc = koffi.load('libc.so.6');
  const fcntl = libc.func('int fcntl(int fd, int command, ...)');
  const execve = libc.func('int execve(const char *path, const char **argv, const char **envp)');
  const F_SETFD = 2;
  // Node marks its standard streams close-on-exec when it starts.
  for (const fd of [0, 1, 2]) fcntl(fd, F_SETFD, 'int', 0);
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  execve(node, [...argv, null], [...variables, null]);
}
