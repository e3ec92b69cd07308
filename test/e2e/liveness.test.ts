/** An edge that is stopped or cut off, and closes nothing: who says so, how soon, and what goes on without it. */
import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, test } from 'node:test';
import { apiClient, type Client } from '../../src/cli/client/api-client.ts';
import type { Status } from '../../src/cli/client/status.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { spawnCommand } from '../world/command.ts';
import { linkBetween } from '../world/link-between.ts';
import { online } from '../world/online.ts';
import { type Facts, inProcess, inProcesses } from '../world/places.ts';
import { freeSettings, treeWorld } from '../world/world.ts';

/** The promise. */
const NOTICED_WITHIN_MS = 7_000;
const BACK_WITHIN_MS = 3_000;
/** A machine that has more to do than it can may take so many times as long to run anything. */
const patience = (): number => ((loadavg()[0] ?? 0) > 1.5 * availableParallelism() ? 4 : 1);

const skip = process.platform === 'linux' ? false : 'finding the children of a process is done with /proc';

function addressesOf({ dns, zoneId }: Facts, name: string): Promise<string[]> {
  const resolver = new Resolver();
  resolver.setServers([dns]);
  return resolver.resolve4(`${name}.${zoneId.slice('zone-'.length)}.edgefour.test`);
}

async function ready(api: string): Promise<string> {
  const answer = await fetch(`${api}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

const metrics = async (api: string): Promise<string> => (await fetch(`${api}/metrics`)).text();
const statusOf = (client: Client): Promise<Status> => client.call<Status>('EdgeFourDescribeStatus', {}, 'edgefour');

/** That `check` comes to hold within so many milliseconds from now. */
async function within(ms: number, check: () => Promise<void>): Promise<void> {
  const from = performance.now();
  await eventually(check, 4 * ms);
  const took = Math.round(performance.now() - from);
  assert.ok(took <= ms * patience(), `it took ${took} ms`);
}

describe('silent edges', { concurrency: true, skip }, () => {
  test('the only edge is stopped: everybody says so, DNS answers it all the same, and it comes back', async () => {
    await using w = await treeWorld();
    const { proxyId, address } = await w.proxy('lonely', [{}]);
    const { edge } = w.place.pids();
    assert.ok(edge);
    assert.match(await metrics(w.api), /^edgefour_dns_fail_open 0$/m);
    process.kill(edge, 'SIGSTOP');
    try {
      await within(NOTICED_WITHIN_MS, async () => {
        const { Edges, Instances } = await statusOf(w.client);
        assert.equal(Edges[0]?.Alive, false);
        assert.match(Instances[0]?.Notes.join() ?? '', /^no edge that serves it is alive: edge local is silent since /);
        assert.equal(await ready(w.api), '503 silent: local\n');
        assert.match(await metrics(w.api), /^edgefour_dns_fail_open 1$/m);
      });
      assert.deepEqual(await addressesOf(w, 'lonely'), [address]);
      const change = ['ModifyL4ProxyStatus', '--ProxyId', proxyId, '--Status', 'offline', '--wait'];
      const waiting = spawnCommand(['api', ...change, '--data', w.folder]);
      let said = '';
      waiting.stderr?.setEncoding('utf8').on('data', (part: string) => (said += part));
      await eventually(() => assert.match(said, /waiting .*edge local is silent since /));
      process.kill(edge, 'SIGCONT');
      await within(BACK_WITHIN_MS, async () => assert.equal(await ready(w.api), '200 ready\n'));
      assert.deepEqual(await once(waiting, 'close'), [0, null]);
      assert.match(await metrics(w.api), /^edgefour_dns_fail_open 0$/m);
    } finally {
      process.kill(edge, 'SIGCONT');
    }
  });

  test('one of two is stopped, or its link is cut: out of DNS, not waited for, back when it is heard of', async () => {
    await using ending = new AsyncDisposableStack();
    const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
    ending.defer(() => rmSync(folder, { recursive: true, force: true }));
    const data = join(folder, 'data');
    // A start with another site leaves that one's record.
    await (await inProcess([...freeSettings(data), '--site', 'far'], {})).stop();
    const tree = await inProcesses(freeSettings(data), {}, join(folder, 'ready.json'));
    ending.defer(() => tree.stop());
    const { facts } = tree;
    const client = apiClient(facts.api, facts, () => Date.now());
    const link = await linkBetween(join(folder, 'between.sock'), join(data, 'link.sock'));
    ending.use(link);
    const at = ['--data', join(folder, 'far'), '--edge', 'far-1', '--site', 'far', '--engine', 'node'];
    const far = spawnCommand(['edge', ...at, '--join', link.path]);
    const ended = once(far, 'close');
    ending.defer(async () => {
      far.kill('SIGCONT');
      far.kill('SIGTERM');
      await ended;
    });
    const isAlive = async (): Promise<boolean | undefined> =>
      (await statusOf(client)).Edges.find(({ EdgeId }) => EdgeId === 'far-1')?.Alive;
    await eventually(async () => assert.equal(await isAlive(), true));
    const make = async (ProxyName: string): Promise<string> => {
      const fields = { ZoneId: facts.zoneId, ProxyName, Area: 'overseas' };
      return (await client.call<{ ProxyId: string }>('CreateL4Proxy', fields)).ProxyId;
    };
    await online(client, facts.zoneId, await make('both'));
    const [both] = (await statusOf(client)).Instances;
    const here = both?.Entries.find(({ Site }) => Site === 'local')?.Addresses[0];
    assert.equal((await addressesOf(facts, 'both')).length, 2);

    const ways = [
      ['stopped', () => far.kill('SIGSTOP'), () => far.kill('SIGCONT')],
      ['cut', () => link.cut(), () => link.mend()],
    ] as const;
    for (const [name, silence, back] of ways) {
      silence();
      const changed = await make(name);
      await within(NOTICED_WITHIN_MS, async () => {
        const { Instances } = await client.call<Status>('EdgeFourDescribeStatus', { ProxyId: changed }, 'edgefour');
        assert.equal(Instances[0]?.Status, 'online');
        assert.deepEqual(await addressesOf(facts, 'both'), [here]);
      });
      const { Edges, Instances } = await statusOf(client);
      assert.deepEqual(
        Edges.map(({ EdgeId, Alive }) => [EdgeId, Alive]),
        [
          ['local', true],
          ['far-1', false],
        ],
      );
      assert.match(Instances[0]?.Notes.join() ?? '', /^site far is out of DNS: edge far-1 is silent since /);
      assert.equal(await ready(facts.api), '200 ready\nsilent: far-1\n');
      assert.match(await metrics(facts.api), /^edgefour_dns_fail_open 0$/m);
      back();
      await within(BACK_WITHIN_MS, async () => {
        assert.equal(await isAlive(), true);
        assert.equal((await addressesOf(facts, 'both')).length, 2);
      });
    }
  });
});
