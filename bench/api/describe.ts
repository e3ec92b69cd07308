/** The cost of a page of DescribeL4Proxy in a small world and in a big one, and the memory of the big one. */
import { systemClock } from '../../src/lib/clock.ts';
import { type Cost, costOf, makeFolder, startControl } from './control.ts';
import { fill } from './fill.ts';
import { residentMb } from './process.ts';

const SIZES = [100, 100_000];
const CALLS = 1_000;
const LIMIT = 20;

interface World {
  readonly instances: number;
  readonly rules: number;
  readonly secondsToReady: number;
  readonly residentMbAtReady: number;
  readonly residentMbAtEnd: number;
  readonly firstPage: Cost;
  /** Every page another one, spread over the whole world. */
  readonly anyPage: Cost;
  readonly oneById: Cost;
}

export async function measureDescribe(): Promise<Record<string, unknown>> {
  const worlds: World[] = [];
  for (const size of SIZES) worlds.push(await measureWorld(size));
  const [small, big] = worlds as [World, World];
  const ratio = (of: (world: World) => Cost) => Number((of(big).cpuUsPerCall / of(small).cpuUsPerCall).toFixed(2));
  return {
    worlds,
    'CPU in the big world over CPU in the small one': {
      firstPage: ratio((world) => world.firstPage),
      anyPage: ratio((world) => world.anyPage),
      oneById: ratio((world) => world.oneById),
    },
  };
}

async function measureWorld(instances: number): Promise<World> {
  const { folder, remove } = makeFolder();
  try {
    const first = await startControl(folder);
    await first.stop();
    await fill(folder.world, first.zone, instances);
    const began = systemClock.monotonic();
    const control = await startControl(folder);
    const secondsToReady = Number(((systemClock.monotonic() - began) / 1_000).toFixed(2));
    const residentMbAtReady = residentMb(control.pid);
    const page = (offset: number) =>
      control.client.call('DescribeL4Proxy', { ZoneId: control.zone, Offset: offset, Limit: LIMIT });
    const byId = (n: number) =>
      control.client.call('DescribeL4Proxy', {
        ZoneId: control.zone,
        Filters: [{ Name: 'proxy-id', Values: [`sid-${String(n).padStart(12, '0')}`] }],
      });
    const spread = (i: number) => (i * 7_919) % (instances - LIMIT);
    await costOf(control.pid, 500, 4, (i) => page(spread(i)));
    const firstPage = await costOf(control.pid, CALLS, 4, () => page(0));
    const anyPage = await costOf(control.pid, CALLS, 4, (i) => page(spread(i)));
    const oneById = await costOf(control.pid, CALLS, 4, (i) => byId(spread(i)));
    const residentMbAtEnd = residentMb(control.pid);
    await control.stop();
    const rules = instances * 10;
    return { instances, rules, secondsToReady, residentMbAtReady, residentMbAtEnd, firstPage, anyPage, oneById };
  } finally {
    remove();
  }
}
