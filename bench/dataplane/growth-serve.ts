/**
 * The kernel engine alone with many rules, for the growth benchmark: a rule per measured port, in the middle of all the
 * others, so that it is neither the first nor the last. Says `ready` once they are in force; runs until it is told to stop.
 *
 *   growth-serve.ts ENTRY RULES ORIGINS long|fast
 */
import { createKernelEngine } from '../../src/engines/kernel/engine.ts';
import { PORTS } from './candidates.ts';
import { each, originAddresses, others, rule } from './growth-rules.ts';

const [entry = '', rules = '1', origins = '1', way = 'long'] = process.argv.slice(2);
const addresses = originAddresses(Number(origins));
const measured = Object.entries(PORTS).map(([port, originPort]) =>
  rule({
    id: `measured-${port}`,
    entry,
    port: Number(port),
    originPort,
    origins: addresses,
    protocol: originPort >= 9100 ? 'UDP' : 'TCP',
  }),
);
const beside = others(entry, Math.max(0, Number(rules) - measured.length), addresses.slice(0, 1));
const middle = beside.length >> 1;

const engine = await createKernelEngine(
  {
    record() {},
    listener() {},
    outcomes() {},
    log: (level, message, facts) => process.stderr.write(`${level} ${message} ${JSON.stringify(facts ?? {})}\n`),
  },
  { use: 'by name', onStop: 'flush', owner: 'bench', fastPath: way === 'fast' },
);
await each([...beside.slice(0, middle), ...measured, ...beside.slice(middle)], async (listener) => {
  const applied = await engine.apply(listener);
  if (!applied.ok) throw new Error(`${listener.id}: ${applied.reason}`);
});
process.stdout.write('ready\n');
const alive = setInterval(() => {}, 60_000);
process.once('SIGTERM', () => {
  clearInterval(alive);
  void engine.stop(0);
});
