/** How long `edgefour up` takes on an installed tree, and what the whole process tree holds at rest. */
import { systemClock } from '../../src/lib/clock.ts';
import { makeFolder } from './control.ts';
import { cpuMs, proportionalMb, residentMb, serve, treeOf } from './process.ts';

const STARTS = 5;
const REST_MS = 3_000;

export async function measureStart(): Promise<Record<string, unknown>> {
  const { folder, remove } = makeFolder();
  try {
    const starts: Record<string, unknown>[] = [];
    for (let i = 0; i < STARTS; i++) {
      const began = systemClock.monotonic();
      const settings = ['--listen', '127.0.0.1:0', '--dns', '127.0.0.1:0', '--data', folder.path];
      const up = await serve('bin/edgefour.js', ['up', ...settings], 'Key pair');
      const ms = Math.round(systemClock.monotonic() - began);
      const cpuMsToReady = treeOf(up.pid).reduce((sum, pid) => sum + cpuMs(pid), 0);
      await systemClock.sleep(REST_MS);
      const tree = treeOf(up.pid);
      const sum = (of: (pid: number) => number): number => tree.reduce((total, pid) => total + of(pid), 0);
      starts.push({ ms, cpuMsToReady, residentMb: sum(residentMb), proportionalMb: sum(proportionalMb) });
      await up.stop();
    }
    return { starts, note: 'the first start makes the world; the others find it' };
  } finally {
    remove();
  }
}
