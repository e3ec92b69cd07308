/** Other people's programs as oracles: found where a distribution puts them, run from a folder of their own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { eventually } from '../suites/engine/fixture.ts';

const PLACES = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'];
const NGINX_STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so';

function find(name: string): string | undefined {
  return PLACES.map((place) => join(place, name)).find((path) => existsSync(path));
}

/** Why a test with this program cannot run here; undefined: it can. */
export function missing(name: 'haproxy' | 'nginx'): string | undefined {
  if (!find(name)) return `${name} is not installed (apt-get install ${name})`;
  return name === 'nginx' && !existsSync(NGINX_STREAM) ? 'nginx has no stream module (libnginx-mod-stream)' : undefined;
}

export function haproxy(t: TestContext, config: string, ready: Place): Promise<void> {
  const common =
    'global\n  log stderr local0 err\ndefaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n';
  return run(t, 'haproxy', (file) => ['-db', '-f', file], common + config, ready);
}

export function nginx(t: TestContext, servers: string, ready: Place): Promise<void> {
  const config = `load_module ${NGINX_STREAM};\npid nginx.pid;\nerror_log stderr;\nevents {}\nstream {\n${servers}\n}\n`;
  const args = (file: string, dir: string): string[] => [
    '-p',
    dir,
    '-c',
    file,
    '-g',
    'daemon off; master_process off;',
  ];
  return run(t, 'nginx', args, config, ready);
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** Resolves once it takes connections at `ready`; it is ended with the test. */
async function run(
  t: TestContext,
  name: string,
  args: (file: string, dir: string) => string[],
  config: string,
  ready: Place,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), `edgefour-${name}-`));
  const file = join(dir, 'config');
  await writeFile(file, config);
  const child = spawn(find(name) ?? name, args(file, dir), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(dir, { recursive: true });
  });
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`${name} exited: ${said}`);
    const socket = connect(ready.port, ready.address);
    await once(socket, 'connect').finally(() => socket.destroy());
  });
}
