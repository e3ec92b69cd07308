/**
 * Records against counters: whatever the rate, every connection and every session is told once, is in no sample, or is
 * counted as lost. The reporter stands behind the engine as in an edge, because it asks the engine while it takes from it.
 * `npm run exact:records` does it with 20,000 connections.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Engine } from '../../../src/engines/engine.ts';
import { RecordQueue } from '../../../src/edge/report/record-queue.ts';
import { Reporter } from '../../../src/edge/report/reporter.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { systemRng } from '../../../src/lib/rng.ts';
import type { FactReport } from '../../../src/link/contract.ts';
import type { ConnectionRecord } from '../../../src/domain/fact/fact.ts';
import { countingOrigin, countingUdpOrigin, talk } from '../../engines/kernel-books.ts';
import { quietHealth } from '../../world/quiet-health.ts';
import { anAddress, anEntry, type EngineUnderTest, eventually } from './fixture.ts';
import { leadsTo, listener, options } from './listener.ts';

/** limit: more than the reporter lets wait, so that it tells in the middle of a batch. */
const CONNECTIONS = Number(process.env['RECORD_CONNECTIONS'] ?? 4_000);
const SESSIONS = CONNECTIONS / 4;

export function recordCases(under: EngineUnderTest): void {
  describe('records', () => {
    const seen: ConnectionRecord[] = [];
    const told: FactReport[] = [];
    let engine: Engine;
    const records = new RecordQueue();
    const reporter = new Reporter({
      records,
      link: {
        async post(_path, body) {
          if (body && typeof body === 'object' && 'counters' in body) told.push(body as FactReport);
          return 204;
        },
      },
      source: {
        ack: () => ({ edge: 'e', site: 's', version: '', world: '', applied: 0, failed: [], engines: [], alarms: [] }),
        placements: () => new Map(),
        takeMoved: () => new Map(),
        counters: () => engine.counters(),
        health: quietHealth(),
      },
      edge: 'e',
      site: 's',
      clock: systemClock,
      rng: systemRng,
    });
    before(async () => {
      const record = (one: ConnectionRecord): void => {
        seen.push(one);
        records.add(one);
      };
      engine = await under.create({ record, listener() {}, outcomes() {}, log() {} });
      reporter.connected();
    });
    after(async () => {
      await reporter.stop();
      await engine.stop(0);
    });

    test('each connection and each session is recorded once, however many end at once', async (t) => {
      const [tcp, sampled, udp] = [
        await countingOrigin(t, anAddress()),
        await countingOrigin(t, anAddress()),
        await countingUdpOrigin(t, anAddress()),
      ];
      const entries = [anEntry()];
      const at = (port: number) => ({ entries, ports: [{ from: port, to: port }] });
      const some = options({ recordOneIn: 10 });
      const cases = [
        [listener({ id: 'rule-tcp', ...at(7001), ...leadsTo(tcp) }), CONNECTIONS],
        [listener({ id: 'rule-sampled', ...at(7002), ...leadsTo(sampled), options: some }), CONNECTIONS / 10],
        [
          listener({
            id: 'rule-udp',
            protocol: 'UDP',
            ...at(7001),
            ...leadsTo(udp),
            options: options({ idleSeconds: 5 }),
          }),
          SESSIONS,
        ],
      ] as const;
      for (const [rule] of cases) assert.deepEqual(await engine.apply(rule), { ok: true });
      const since = performance.now();
      await Promise.all(cases.map(([rule, count]) => talk(rule, count, anAddress())));
      t.diagnostic(
        `${CONNECTIONS} connections and ${SESSIONS} sessions in ${Math.round(performance.now() - since)} ms`,
      );
      await eventually(async () => {
        const counters = await engine.counters();
        for (const [{ id }, count] of cases) {
          const { connections = 0, active = 0, unrecorded = {} } = counters.get(id) ?? {};
          const records = seen.filter(({ rule, end }) => rule === id && end !== undefined).length;
          const { sampled = 0, lost = 0 } = unrecorded;
          assert.deepEqual([connections, active, records + sampled + lost], [count, 0, count], id);
        }
      });
      assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length);
      await reporter.tell();
      const lost = told.reduce((sum, { recordsLost }) => sum + recordsLost, 0);
      assert.equal(told.flatMap(({ records }) => records).length + lost, seen.length);
    });
  });
}
