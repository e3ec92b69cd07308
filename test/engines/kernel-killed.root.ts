/**
 * The kernel engine killed in the middle of a run of short connections: each has its record in a file, once, or is in no
 * sample, or is counted as lost by the next engine; exactly, per rule. Short of that it would be a record that was heard of
 * and never written, or one that was written and is counted as lost as well.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { ConnectionRecord } from '../../src/domain/fact/fact.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { leadsTo, listener, options } from '../suites/engine/listener.ts';
import { countingOrigin, sumOf, talk } from './kernel-books.ts';
import { whyNoNamespaces, type Namespaces } from './kernel-namespaces.ts';
import { startAgent, takeStage } from './kernel-stage.ts';

const CONNECTIONS = Number(process.env['KILLED_CONNECTIONS'] ?? 1_200);
/** Killed once so many records are there: at the first, and further on. */
const AFTER = [1, 200, 700];
/** limit: the last connections are forgotten by the system seconds after their end. */
const PATIENCE_MS = 120_000;

const missing = whyNoNamespaces();
if (missing === undefined) describe('kernel engine, killed', () => killed(takeStage()));
else describe('kernel engine, killed', () => test('is not available here', { skip: missing }, () => {}));

function killed(world: Namespaces): void {
  for (const [i, after] of AFTER.entries())
    test(`with ${after} records written, every connection is accounted for once`, (t) => run(t, world, i, after));
}

async function run(t: TestContext, world: Namespaces, round: number, after: number): Promise<void> {
  const parent = mkdtempSync(join(tmpdir(), 'edgefour-killed-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const folder = join(parent, 'records');
  const setting = { counterFile: join(parent, 'counters'), records: { folder, capBytes: 1 << 30 } };
  const entries = [world.entry()];
  const [one, some] = [await countingOrigin(t, world.address()), await countingOrigin(t, world.address())];
  const at = (port: number) => ({ entries, ports: [{ from: port, to: port }] });
  const all = listener({ id: `rule-all-${round}`, ...at(80), ...leadsTo(one) });
  const tenth = { ...at(90), ...leadsTo(some), options: options({ recordOneIn: 10 }) };
  const sampled = listener({ id: `rule-sampled-${round}`, ...tenth });
  const rules = [all, sampled];

  const first = await startAgent(t, world, rules, setting);
  const skip = round * CONNECTIONS;
  const talking = Promise.all(rules.map((rule) => talk(rule, CONNECTIONS, world.address(), skip)));
  await eventually(() => assert.ok(endsIn(folder).length >= after), PATIENCE_MS);
  // order: never asked, so that all that is counted is counted by the next one.
  await first.kill();
  const written = endsIn(folder).length;
  const second = await startAgent(t, world, rules, setting);
  await talking;
  for (const [rule, origin] of [
    [all, one],
    [sampled, some],
  ] as const) {
    const sum = await eventually(async () => {
      const { connections, sampled, lost, active } = sumOf(await second.status(), rule.id);
      const records = endsIn(folder).filter((record) => record.rule === rule.id).length;
      const [sum, whole] = [{ records, sampled, lost, active }, records + sampled + lost];
      assert.deepEqual({ connections, whole, active }, { connections: CONNECTIONS, whole: CONNECTIONS, active: 0 });
      return sum;
    }, PATIENCE_MS);
    assert.equal(origin.count(), CONNECTIONS);
    if (rule === sampled) assert.equal(sum.sampled, CONNECTIONS - CONNECTIONS / 10);
    t.diagnostic(`${rule.id}: killed with ${written} written; then ${JSON.stringify(sum)}`);
  }
  const ids = endsIn(folder).map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  await second.kill();
  world.inEdge('nft', 'delete', 'table', 'inet', 'edgefour');
}

/** Records of ends, of all whole lines. */
function endsIn(folder: string): ConnectionRecord[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as ConnectionRecord)
    .filter(({ end }) => end !== undefined);
}
