/**
 * `npm run test:no-uring`: the engine suites and the start of the whole program on a machine whose io_uring is switched
 * off; with files as arguments, those. The switch is put back whatever ends this (uring-switch.ts). As root, and alone.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { whyNotSwitched, withoutUring } from './uring-switch.ts';

const SUITES = [
  'src/engines/node/engine-*.test.ts',
  'src/engines/hosting/worker-engine-suite.test.ts',
  'src/edge/doctor/*.test.ts',
  'test/engines/uring*.test.ts',
  'test/engines/uring-disabled.root.ts',
  'test/e2e/first-proxy.test.ts',
  'test/e2e/life.test.ts',
  'test/e2e/command-line.test.ts',
  'test/e2e/doctor.test.ts',
  'test/e2e/upgrade.test.ts',
];
const OPTIONS = [
  '--test',
  '--test-timeout=120000',
  '--test-reporter=spec',
  `--test-concurrency=${process.env['TEST_CONCURRENCY'] ?? 1}`,
];

const why = whyNotSwitched();
if (why === undefined) await main(process.argv.slice(2));
else {
  process.stderr.write(`${why}\n`);
  process.exitCode = 2;
}

async function main(files: readonly string[]): Promise<void> {
  await using _off = await withoutUring();
  const tests = spawn(process.execPath, [...OPTIONS, ...(files.length > 0 ? files : SUITES)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => tests.kill(signal));
  const [code] = (await once(tests, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}
