/**
 * T34 at the whole tree: SIGKILL of everything at random moments while a client creates rules. Each answered call is
 * there after the next start, no batch is there by half, and what forwarded forwards again by itself.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { apiClient, type Client } from '../../src/cli/client/api-client.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { seededRng } from '../../src/lib/rng.ts';
import { exchange } from '../e2e/clients.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { inProcesses, type Tree } from '../world/places.ts';
import { treeWorld } from '../world/world.ts';

const ROUNDS = 25;
/** Rules in one call, all with one tag. */
const BATCH = 2;
const skip = process.platform === 'linux' ? false : 'finding the children of a process is done with /proc';

test(`${ROUNDS} kills of everything lose nothing that was answered`, { skip, timeout: 900_000 }, async (t) => {
  const rng = seededRng(2_034);
  await using w = await treeWorld();
  const { proxyId, address, ports } = await w.proxy('survivor', [{}]);
  const answered = new Set<string>();
  let tree: Tree = w.place;
  t.after(() => tree.stop());
  for (let round = 1; round <= ROUNDS; round++) {
    const writing = write(clientOf(tree), { ZoneId: w.zoneId, ProxyId: proxyId }, round, answered);
    await clock.sleep(rng.below(400));
    const { up, control, edge } = tree.pids();
    for (const pid of [up, control, edge]) if (pid !== undefined) process.kill(pid, 'SIGKILL');
    await Promise.all([writing, tree.ended]);

    tree = await inProcesses(w.args, {}, `${w.folder}-${round}.json`);
    const place = { ZoneId: w.zoneId, ProxyId: proxyId, Limit: 1_000 };
    const { L4ProxyRules } = await clientOf(tree).call<Rules>('DescribeL4ProxyRules', place);
    check(L4ProxyRules, answered, round);
    await eventually(async () => {
      assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('x'))).toString(), 'x');
    }, 10_000);
  }
  t.diagnostic(`${answered.size} rules were answered for and are there`);
});

interface Rules {
  readonly L4ProxyRules: readonly { readonly RuleId: string; readonly RuleTag?: string }[];
}

function check(rules: Rules['L4ProxyRules'], answered: ReadonlySet<string>, round: number): void {
  const there = new Set(rules.map(({ RuleId }) => RuleId));
  assert.equal(there.size, rules.length, `round ${round}: an id is there twice`);
  for (const id of answered) assert.ok(there.has(id), `round ${round}: the answered rule ${id} is lost`);
  const batches = Map.groupBy(rules, ({ RuleTag }) => RuleTag ?? '');
  batches.delete('');
  for (const [tag, batch] of batches)
    assert.equal(batch.length, BATCH, `round ${round}: batch ${tag} is there by half`);
}

function clientOf({ facts }: Tree): Client {
  return apiClient(facts.api, facts, () => clock.now());
}

/** Creates batches until nobody answers any more; keeps the ids that were answered. */
async function write(client: Client, place: object, round: number, answered: Set<string>): Promise<void> {
  // limit: a hundred ports per round, so that no two rules ever want the same.
  for (let batch = 0; batch < 50; batch++) {
    const L4ProxyRules = Array.from({ length: BATCH }, (_, i) => ({
      Protocol: 'TCP',
      PortRange: [`${10_000 + round * 100 + batch * BATCH + i}`],
      OriginType: 'IP_DOMAIN',
      OriginValue: ['127.0.0.1'],
      OriginPortRange: '9',
      RuleTag: `${round}-${batch}`,
    }));
    try {
      const made = await client.call<{ L4ProxyRuleIds: string[] }>('CreateL4ProxyRules', { ...place, L4ProxyRules });
      for (const id of made.L4ProxyRuleIds) answered.add(id);
    } catch (error) {
      // A refusal by a control that lives would be a bug, and not what this test is about.
      return assert.match((error as Error).message, /Can't reach/);
    }
  }
}
