/**
 * The UDP session table under seeded chaos: clients, replies, refusals, time, changes of the rule, ports that come and
 * go. After every step a plain model says what must be true. The same seed gives the same run.
 */
import assert from 'node:assert/strict';
import type { Listener } from '../../src/engines/engine.ts';
import { type UdpPort, type UdpSession, UdpTable } from '../../src/engines/node/udp/udp-table.ts';
import { seededRng } from '../../src/lib/rng.ts';
import { listener, options, target } from '../suites/engine/listener.ts';
import { ruleWorld } from './rule-world.ts';

const MOST = 12;
/** As flow/seniority.ts promises: how long each kind must have been silent before another may have its place. */
const SILENT_MS = { answered: 500, owed: 10_000, converses: 30_000 };
const GRAIN_MS = 100;
const IDLE_SECONDS = 20;
const HEADERS: Partial<Record<Listener['mode'], [first: number, later: number]>> = {
  OFF: [0, 0],
  PPV2: [28, 0],
  SPP: [38, 38],
};

type S = UdpSession<never>;

/** Gives a digest of all that happened. */
export function udpSimulation(seed: number, steps: number): number {
  const rng = seededRng(seed);
  const pick = <T>(items: readonly T[]): T => items[rng.below(items.length)]!;
  let rule = change(listener({ protocol: 'UDP', ports: [{ from: 1, to: 3 }], originPorts: { from: 11, to: 13 } }));
  const world = ruleWorld(rule);
  const { counters, records } = world;
  const { monotonic } = world;
  const table = new UdpTable<never>(world.rule, { most: MOST, monotonic, takeSlot: () => true, evict, move: evict });
  const ports: UdpPort<never>[] = [];
  /** The model: sessions that must be alive, with the datagrams that each has had. */
  const alive = new Map<S, number>();
  let now = 0;
  const lastUse = new Map<S, number>();
  /** What each session is in the middle of. */
  const stage = new Map<S, { answered: boolean; owed: boolean; converses: boolean }>();
  let digest = seed >>> 0;
  let dropped = 0;
  let evicted = 0;
  let endsRecorded = 0;

  function change(base: Listener): Listener {
    const targets = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].filter(() => rng.below(4) > 0);
    return {
      ...base,
      targets: targets.map((address) => target(address, rng.below(4), rng.below(2))),
      mode: rng.below(3) > 0 ? base.mode : pick(['OFF', 'PPV2', 'SPP'] as const),
      persistSeconds: pick([0, 30]),
      options: options({ idleSeconds: IDLE_SECONDS, recordOneIn: 1 }),
    };
  }

  function close(session: S, cause: 'idle' | 'drained' | 'origin-refused' | 'evicted'): void {
    table.close(session, cause);
    assert.ok(alive.delete(session), 'closed a session that was not alive');
    lastUse.delete(session);
    stage.delete(session);
  }

  function mayGo(session: S): boolean {
    const { owed, converses } = stage.get(session)!;
    const patience = converses ? SILENT_MS.converses : owed ? SILENT_MS.owed : SILENT_MS.answered;
    return now - lastUse.get(session)! >= patience;
  }

  /** The one that may go and was silent longest; brief ones before conversations. */
  function evict(session: S): void {
    assert.equal(alive.size, MOST);
    assert.ok(mayGo(session), `${session.counted.id} must not go yet`);
    const kind = (one: S): boolean => stage.get(one)!.converses;
    for (const other of [...alive.keys()].filter((one) => mayGo(one))) {
      if (kind(other) === kind(session)) assert.ok(lastUse.get(session)! <= lastUse.get(other)! + GRAIN_MS);
      else assert.ok(kind(other), 'a conversation went before a brief one');
    }
    close(session, 'evicted');
    evicted++;
  }

  function datagram(): string {
    const port = ports[rng.below(ports.length)];
    if (!port) return 'no port';
    const client = { address: `192.0.2.${rng.below(3)}`, port: rng.below(8) };
    const size = pick([0, 1, 1200, 65_507]);
    const limited = counters.dropped.limit ?? 0;
    const session = table.admit(port, client, size);
    if (!session) {
      dropped++;
      if ((counters.dropped.limit ?? 0) > limited) assert.ok(alive.size === MOST && ![...alive.keys()].some(mayGo));
      return 'dropped';
    }
    const had = alive.get(session);
    const [first, later] = HEADERS[rule.mode] ?? [];
    assert.equal(session.header.length, had === undefined ? first : later);
    assert.ok(size + session.header.length <= 65_507);
    assert.notEqual(client.port, 0);
    assert.deepEqual([session.counted.client, session.counted.entry], [client, port.entry]);
    alive.set(session, (had ?? 0) + 1);
    lastUse.set(session, now);
    const { answered = false, converses = false } = stage.get(session) ?? {};
    stage.set(session, { answered, owed: true, converses: converses || answered });
    return `${session.counted.id} → ${session.origin.address}:${session.origin.port}, ${evicted} evicted`;
  }

  function reply(): string {
    const session = pick([...alive.keys(), undefined]);
    if (!session) return 'nobody to answer';
    const size = pick([0, 37, 38, 500]);
    const spp = rule.mode === 'SPP' ? 38 : 0;
    const foreign = rng.below(4) === 0;
    const datagram = Buffer.alloc(size, foreign ? 1 : 0);
    if (!foreign) datagram.set(session.header.subarray(0, Math.min(size, spp)));
    const cut = table.reply(session, datagram);
    assert.equal(cut, size < spp || (foreign && spp > 0) ? -1 : spp);
    if (cut < 0) dropped++;
    else {
      lastUse.set(session, now);
      stage.set(session, { ...stage.get(session)!, answered: true, owed: false });
    }
    return `reply ${cut}`;
  }

  function refuse(): string {
    const session = pick([...alive.keys(), undefined]);
    if (!session || !table.refused(session)) return 'stays';
    close(session, 'origin-refused');
    return 'refused';
  }

  function pass(): string {
    const ms = rng.below(2) === 0 ? rng.below(900) : rng.below(8000);
    now += ms;
    world.pass(ms);
    const idle = table.due();
    for (const [session, cause] of idle) {
      assert.equal(cause, 'idle');
      close(session, 'idle');
    }
    // Seen at whole looks only, so a session may live one look longer, never shorter.
    for (const [session, at] of lastUse)
      assert.ok(now - at < 2 * IDLE_SECONDS * 1000 + 8000, `${session.counted.id} overslept`);
    return `idle ${idle.length}`;
  }

  function retarget(): string {
    rule = change(rule);
    world.rule.update(rule);
    table.judge();
    const stale = table.due();
    for (const [session, cause] of stale) {
      assert.ok(cause === 'drained' || cause === 'idle');
      close(session, cause);
    }
    return `stale ${stale.length}`;
  }

  function rebind(): string {
    const port = ports.length > 0 && rng.below(2) === 0 ? ports.splice(rng.below(ports.length), 1)[0] : undefined;
    if (port) for (const session of table.unbind(port)) close(session, 'drained');
    else if (ports.length < 4) ports.push(table.bind({ address: '127.44.0.1', port: 1 + rng.below(3) }));
    return `ports ${ports.length}`;
  }

  function check(): void {
    assert.equal(table.size, alive.size);
    assert.ok(table.size <= MOST);
    assert.equal(counters.active, alive.size);
    const ended = Object.values(counters.ends).reduce((sum, count) => sum + count, 0);
    assert.equal(counters.connections, alive.size + ended);
    endsRecorded += records.splice(0).filter(({ end }) => end).length;
    assert.equal(endsRecorded, ended);
    assert.equal(
      Object.values(counters.dropped).reduce((sum, count) => sum + count, 0),
      dropped,
    );
    const held = new Set(ports.flatMap((port) => [...port.sessions.values()]));
    assert.deepEqual(held, new Set(alive.keys()));
    for (const { origin, port } of alive.keys()) {
      assert.ok(rule.targets.some(({ address }) => address === origin.address));
      assert.equal(origin.port, port.entry.port + 10);
    }
  }

  rebind();
  for (let step = 0; step < steps; step++) {
    const what = pick([datagram, datagram, datagram, datagram, reply, reply, refuse, pass, pass, retarget, rebind])();
    for (const letter of what) digest = (Math.imul(digest, 31) + letter.charCodeAt(0)) >>> 0;
    check();
  }
  return digest;
}
