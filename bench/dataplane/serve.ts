/**
 * The data plane alone, for the benchmark: an engine with a rule per argument `entry:port=origin:port` (a `/udp` behind
 * it makes it UDP, a `/PPV2` the mode), without control, plan or link. Runs until it is told to stop.
 *
 *   serve.ts ENGINE WORKERS RECORDS MAPPING… [idle=SECONDS] [ports=SPANS]
 */
import { DEFAULT_CARE } from '../../src/domain/l4-rule/options.ts';
import { createKernelEngine } from '../../src/engines/kernel/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import type { Engine, EngineEvents, Listener } from '../../src/engines/engine.ts';
import { EdgePorts } from '../../src/edge/source-ports.ts';
import { parsePortSpans } from '../../src/linux/dial-ports.ts';
import { systemRng } from '../../src/lib/rng.ts';
import type { Mode } from '../../src/domain/l4-rule/modes.ts';

const [name = 'uring', workers = '1', recordOneIn = '0', ...rest] = process.argv.slice(2);
const given = new Map(rest.map((word) => word.split('=', 2) as [string, string]));
const mappings = rest.filter((word) => !/^(idle|ports)=/.test(word));
const idleSeconds = Number(given.get('idle') ?? 300);
/** As `--source-ports`; without it the system chooses. */
const spans = parsePortSpans(given.get('ports') ?? '');
const sourcePorts = spans && new EdgePorts(spans, systemRng).memory;

const events: EngineEvents = {
  record() {},
  listener() {},
  outcomes() {},
  log: (level, message, facts) => process.stderr.write(`${level} ${message} ${JSON.stringify(facts ?? {})}\n`),
};
const MAKERS: Readonly<Record<string, () => Promise<Engine>>> = {
  node: () => createNodeEngine(events, sourcePorts && { sourcePorts }),
  uring: () => createUringEngineWith({ workers: Number(workers), sourcePorts }, events),
  kernel: () => createKernelEngine(events, { use: 'by name', onStop: 'flush', owner: 'bench' }),
};
const engine = await (MAKERS[name] ?? MAKERS['uring'])?.();
if (!engine) throw new Error(`no engine ${name}`);

for (const mapping of mappings) {
  const applied = await engine.apply(listener(mapping));
  if (!applied.ok) {
    process.stderr.write(`${mapping}: ${applied.reason}\n`);
    process.exit(1);
  }
}
process.stdout.write('ready\n');
const alive = setInterval(() => {}, 60_000);
process.once('SIGTERM', () => {
  clearInterval(alive);
  void engine.stop(0);
});

function listener(mapping: string): Listener {
  const [from = '', rest = ''] = mapping.split('=');
  const [to = '', ...words] = rest.split('/');
  const { address, port } = endpoint(from);
  const origin = endpoint(to);
  return {
    id: mapping,
    zone: 'bench',
    proxy: 'bench',
    protocol: words.includes('udp') ? 'UDP' : 'TCP',
    entries: [address],
    ports: [{ from: port, to: port }],
    originPorts: { from: origin.port, to: origin.port },
    targets: [{ number: 0, address: origin.address, weight: 1, tier: 0 }],
    mode: (words.find((word) => word !== 'udp') ?? 'OFF') as Mode,
    persistSeconds: 0,
    failover: 'origin',
    options: {
      connectTimeoutMs: 5000,
      idleSeconds,
      drain: { how: 'drain', seconds: 30 },
      recordOneIn: Number(recordOneIn),
      ...DEFAULT_CARE,
    },
  };
}

function endpoint(text: string): { address: string; port: number } {
  const at = text.lastIndexOf(':');
  return { address: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}
