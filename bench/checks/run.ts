/**
 * `npm run bench:checks`: what checks of origins cost an edge, in a network namespace of its own: CPU, how late probes begin,
 * memory, sockets left in TIME_WAIT; once with origins that all answer, once with 1,000 that drop packets. Prints the
 * results and keeps them with the facts of the machine in bench/runs. Needs root, iproute2 and nftables.
 *
 *   run.ts [checks=10000] [deaf=1000] [kind=mixed,…] [interval=60] [timeout=5] [seconds=60] [priority=real-time]
 */
import { execFileSync, fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepRun } from '../run-record.ts';
import { CHECKS, type Kind } from './checks.ts';

const INSIDE = 'inside-its-namespace';
const PORT = 9_000;
const given = new Map(process.argv.slice(2).map((pair) => pair.split('=', 2) as [string, string]));
const number = (key: string, otherwise: number): number => Number(given.get(key) ?? otherwise);
const times = { intervalSeconds: number('interval', 60), timeoutSeconds: number('timeout', 5) };
const checks = number('checks', 10_000);
const seconds = number('seconds', 60);
const kinds = (given.get('kind') ?? 'mixed').split(',').filter((word): word is Kind => Object.hasOwn(CHECKS, word));

if (!given.has(INSIDE)) {
  const again = ['--net', process.execPath, import.meta.filename, ...process.argv.slice(2), INSIDE];
  process.exit(spawnSync('unshare', again, { stdio: 'inherit' }).status ?? 1);
}

execFileSync('ip', ['link', 'set', 'lo', 'up']);
execFileSync('nft', ['-f', '-'], {
  input:
    'add table inet deaf; add chain inet deaf in { type filter hook input priority 0; }; add rule inet deaf in ip daddr 127.200.0.0/16 drop',
});
// All origins are one machine here, which would answer pings no faster than this.
execFileSync('sysctl', ['-qw', 'net.ipv4.icmp_msgs_per_sec=100000', 'net.ipv4.icmp_ratelimit=0']);

const origins = fork(
  join(import.meta.dirname, 'origins.ts'),
  [PORT, kinds.some((kind) => kind === 'udp' || kind === 'mixed') ? checks : 0].map(String),
);
await once(origins, 'message');
const results: object[] = [];
for (const kind of kinds)
  for (const deaf of [0, number('deaf', 1_000)]) {
    const result = { kind, checks, deaf, ...times, ...(await measured(kind, deaf)) };
    results.push(result);
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  }
origins.disconnect();
origins.kill();

keepRun('checks', results, { priority: given.get('priority') ?? 'usual' });

async function measured(kind: Kind, deaf: number): Promise<object> {
  const task = JSON.stringify({ checks, deaf, kind, port: PORT, ...times, seconds });
  const child = fork(join(import.meta.dirname, 'prober.ts'), [task], { execArgv: ['--expose-gc'] });
  const gone = once(child, 'exit');
  if (given.get('priority') === 'real-time') execFileSync('chrt', ['-a', '-r', '-p', '50', `${child.pid}`]);
  await once(child, 'message');
  await counted(origins);
  const before = sockets();
  const [found] = (await once(child, 'message')) as [object];
  const after = sockets();
  const counts = await counted(origins);
  await gone;
  const each = [...new Map(counts).values()];
  return {
    seconds,
    ...found,
    timeWait: { before: before.timeWait, after: after.timeWait },
    openAtEnd: sockets().open,
    askedPerCheck: { least: Math.min(...each), most: Math.max(...each) },
  };
}

/** How often each address was asked since this was called last. */
async function counted(child: ChildProcess): Promise<[string, number][]> {
  const answer = once(child, 'message');
  child.send('counts');
  const [said] = (await answer) as [[string, number][]];
  return said;
}

/** The prober's ends of connections to origins. */
function sockets(): { timeWait: number; open: number } {
  const TIME_WAIT = '06';
  const states = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote = '']) => remote.endsWith(`:${PORT.toString(16).toUpperCase()}`))
    .map(([, , , state]) => state);
  const timeWait = states.filter((state) => state === TIME_WAIT).length;
  return { timeWait, open: states.length - timeWait };
}
