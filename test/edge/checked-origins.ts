/**
 * Origins that die in every way that a check can see, behind an edge whose passive signals are off: how long it takes until
 * they are out of use, and where clients go then. Run on this machine's loopback by checked-origins.test.ts, in a namespace
 * and on all engines by checked-origins.root.ts.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { HealthChecker } from '../../src/domain/load-balancer/health-checker.ts';
import { eventually } from '../suites/engine/fixture.ts';
import type { ControlEnd } from './control-end.ts';
import { PLACE, proxy, rule } from './edges.ts';
import { type Condition, mortalOrigin, who } from './mortal-origins.ts';
import type { Said } from './said.ts';

/** limit: a program of a busy machine may need more than a second for its answer. */
export const TIMES = { interval: 2, timeout: 2, healthThreshold: 2, criticalThreshold: 2 };
/** interval + (fall − 1) × fast interval + time-out + 0.5 s */
const PROMISED_MS = 2_000 + 2_000 + 2_000 + 500;
/** Other work on this machine makes it late. */
const SLACK = 3;
/** Connections in which every origin that is in use has been seen. */
const MANY = 12;
/** One that is there has answered by then; where one is not, that is seen sooner. */
const PATIENCE_MS = 10_000;
const SILENT_MS = 2_000;

const PING = { send: 'PING', expect: '+PONG' };
const UDP = { type: 'UDP', sendContext: 'PING', recvContext: '+PONG' } as const;
const HTTP = { type: 'HTTP', path: 'a.example/', method: 'GET', expectedCodes: ['200'] } as const;

/** `dropped`, `unpinged`: all packets to it are lost, or pings alone. */
type Fate = Condition | 'dropped' | 'unpinged';

export interface Death {
  readonly name: string;
  readonly fate: Fate;
  readonly check: Omit<HealthChecker, 'port'>;
  /** The check goes on finding it well. */
  readonly isUnseen?: true;
}

export const DEATHS: readonly Death[] = [
  { name: 'port closed', fate: 'closed', check: { type: 'TCP' } },
  { name: 'HTTP 503', fate: 'ill', check: HTTP },
  { name: 'wrong answer over TCP', fate: 'ill', check: { type: 'TCP', ...PING } },
  { name: 'wrong answer over UDP', fate: 'ill', check: UDP },
  { name: 'stopped, seen by an expected answer over TCP', fate: 'stopped', check: { type: 'TCP', ...PING } },
  { name: 'stopped, seen by HTTP', fate: 'stopped', check: HTTP },
  { name: 'stopped, seen by UDP', fate: 'stopped', check: UDP },
  { name: 'stopped, not seen by a bare connection', fate: 'stopped', check: { type: 'TCP' }, isUnseen: true },
];

interface Place {
  readonly control: ControlEnd;
  /** What the edge says. */
  readonly said: readonly Said[];
  /** For origins, and for an entry. */
  address(): string;
  readonly entry: string;
  /** How origins die of what they do not do themselves. */
  readonly cut?: (fate: Fate, address: string) => void;
}

export async function dies(t: TestContext, deaths: readonly Death[], place: Place): Promise<void> {
  const { control, entry, said, cut } = place;
  const good = await mortalOrigin(t, place.address());
  // One program for each fate; its rules differ in how they check it.
  const fates = [...new Set(deaths.map(({ fate }) => fate))];
  const dying = await Promise.all(fates.map(() => mortalOrigin(t, place.address(), good.port)));
  const served = deaths.map(({ fate, check }, i) => {
    const origin = dying[fates.indexOf(fate)]!;
    const port = 700 + i;
    const record = rule(`rule-${i}`, port, '', good.port, {
      originValue: [origin.address, good.address],
      checker: { ...TIMES, port: good.port, ...check },
      options: { passive: 'off', connectTimeoutMs: 500 },
    });
    return { origin, port, record };
  });
  const records = served.map(({ record }) => record);
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, records) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision), 60_000);
  for (const { record } of served) assert.deepEqual(control.acks.failures(record.id), []);
  for (const { origin, port } of served)
    await eventually(async () => assert.deepEqual(await seen(entry, port), new Set([origin.address, good.address])));

  const died = performance.now();
  await Promise.all(
    dying.map(async (origin, i) => {
      const fate = fates[i]!;
      if (fate === 'dropped' || fate === 'unpinged') cut?.(fate, origin.address);
      else await origin.become(fate);
    }),
  );
  const outs = (): Said[] => said.filter(({ message, at }) => at >= died && message === 'an origin is out of use');
  const found = deaths.filter(({ isUnseen }) => !isUnseen).length;
  await eventually(() => assert.equal(outs().length, found), SLACK * PROMISED_MS);
  const took = outs().map(({ at }) => Math.round(at - died));
  t.diagnostic(`out of use after ${took.join(', ')} ms; promised on an idle machine: ${PROMISED_MS}`);
  assert.ok(outs().every(({ facts }) => facts['by'] === 'probe'));
  for (const [i, { origin, port }] of served.entries()) {
    const { name, isUnseen } = deaths[i]!;
    const answers = await seen(entry, port, isUnseen && SILENT_MS);
    assert.deepEqual(answers, new Set(isUnseen ? ['', good.address] : [good.address]), name);
    assert.ok(!answers.has(origin.address));
  }
}

/** Who answers this rule's clients; empty: nobody. */
async function seen(entry: string, port: number, ms = PATIENCE_MS): Promise<Set<string>> {
  const all = new Set<string>();
  for (let i = 0; i < MANY && all.size < 2; i++) all.add(await who(entry, port, ms));
  return all;
}
