/**
 * A data folder as a bad disk leaves it: copied while changes are made, then each file of the copy cut at 4 KiB steps, one
 * at a time. With every one of them: it starts, traffic flows, reads and DNS answer, and a change is made or refused with
 * one clear error.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { Resolver } from 'node:dns/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { apiClient } from '../../src/cli/client/api-client.ts';
import { Refusal } from '../../src/cli/client/refusal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { exchange } from '../e2e/clients.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { inProcesses, type Tree } from '../world/places.ts';
import { type Proxy, treeWorld, type World } from '../world/world.ts';

const STEP = 4_096;
const WITHIN_MS = 60_000;
/** Made anew by each start, or empty. */
const NOT_KEPT = /\.(lock|sock)$|-shm$|^running\.json$/;

interface Cut {
  readonly file: string;
  readonly at: number;
}

/** `pick` chooses among all cuts; resolves with how many were tried and how many refused changes. */
export async function cutCampaign(pick: (cuts: readonly Cut[]) => readonly Cut[]): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-cut-'));
  try {
    await using w = await treeWorld({ settings: ['--drain', '0'] });
    const proxy = await w.proxy('kept', [{}, { Protocol: 'UDP' }]);
    await copiedUnderWrites(w, join(folder, 'copy'));
    const { up, control = 0, edge = 0 } = w.place.pids();
    for (const pid of [up, control, edge]) process.kill(pid, 'SIGKILL');
    await w.place.ended;
    const tally = { tried: 0, changed: 0, refused: 0 };
    for (const cut of pick(cutsOf(join(folder, 'copy')))) {
      const data = join(folder, 'data');
      rmSync(data, { recursive: true, force: true });
      cpSync(join(folder, 'copy'), data, { recursive: true });
      truncateSync(join(data, cut.file), cut.at);
      const outcome = await survives(w, proxy, data, join(folder, 'ready.json')).catch((error: unknown) => {
        throw new Error(`${cut.file} cut at ${cut.at}`, { cause: error });
      });
      tally.tried++;
      tally[outcome]++;
    }
    return tally;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every file at another moment, as a copy of a living folder is. */
async function copiedUnderWrites(w: World<Tree>, to: string): Promise<void> {
  let isDone = false;
  let writes = 0;
  const writing = (async () => {
    for (; !isDone || writes < 40; writes++) await w.client.call('EdgeFourCreateKey', { User: `sam${writes}` });
  })();
  await eventually(() => assert.ok(writes >= 30));
  cpSync(w.folder, to, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  isDone = true;
  await writing;
}

function cutsOf(folder: string): Cut[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => statSync(join(folder, name)).isFile() && !NOT_KEPT.test(name),
  );
  return files.toSorted().flatMap((file) => {
    const { size } = statSync(join(folder, file));
    return Array.from({ length: Math.ceil(size / STEP) }, (_, i) => ({ file, at: i * STEP }));
  });
}

async function survives(
  w: World<Tree>,
  { address, ports }: Proxy,
  data: string,
  readyFile: string,
): Promise<'changed' | 'refused'> {
  rmSync(readyFile, { force: true });
  const args = w.args.map((arg) => (arg === w.folder ? data : arg));
  const tree = await inProcesses(args, {}, readyFile);
  try {
    await eventually(async () => {
      assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('flows'))).toString(), 'flows');
    }, WITHIN_MS);
    const client = apiClient(tree.facts.api, w, () => systemClock.now());
    const { TotalCount } = await client.call('DescribeL4Proxy', { ZoneId: w.zoneId });
    assert.equal(TotalCount, 1);
    const resolver = new Resolver();
    resolver.setServers([tree.facts.dns]);
    const name = `kept.${w.zoneId.replace('zone-', '')}.edgefour.test`;
    assert.deepEqual(await resolver.resolve4(name), [address]);
    const outcome = await client.call('EdgeFourCreateKey', { User: 'late' }).then(
      () => 'changed' as const,
      (error: unknown) => {
        assert.ok(error instanceof Refusal, String(error));
        assert.equal(error.code, 'ServiceUnavailable');
        assert.match(error.message, /Nothing can be changed: .*edgefour backup/);
        return 'refused' as const;
      },
    );
    assert.doesNotMatch(tree.output(), /SyntaxError|\n\s+at .*\.ts:\d+/, 'a raw stack');
    // Nothing was taken from the edge meanwhile.
    assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('still'))).toString(), 'still');
    return outcome;
  } catch (error) {
    throw new Error(`it said: ${tree.output()}`, { cause: error });
  } finally {
    tree.up.kill('SIGTERM');
    await tree.ended;
  }
}
