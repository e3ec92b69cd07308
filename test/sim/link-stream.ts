/**
 * A world that changes, an edge's replica that follows it, and between them a wire that breaks: cuts, pauses, a control
 * that restarts, history that is compacted away. The checker knows every revision: what the replica shows must be one
 * of them, whole, and never an earlier one than before. Shared by the short test and the long fuzz run.
 */
import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../src/lib/clock.ts';
import { type Rng, seededRng } from '../../src/lib/rng.ts';
import { createLinkClient } from '../../src/link/client.ts';
import { Replica, type Step } from '../../src/link/replica.ts';
import { type ControlEnd, controlEnd } from '../edge/control-end.ts';
import { eventually } from '../suites/engine/fixture.ts';

interface Seen {
  readonly steps: number;
  readonly snapshots: number;
  readonly breaks: number;
}

const FOLLOWED = ['site/', 'zone/', 'proxy/', 'origin-group/', 'load-balancer/'];

export async function runLinkStream(seed: number, changes: number): Promise<Seen> {
  const rng = seededRng(seed);
  await using control = await controlEnd({ watchHistory: 15 });
  using wire = await badWire(control, rng);
  const states = history();
  const replica = new Replica();
  const ending = new AbortController();
  const seen = { steps: 0, snapshots: 0, breaks: 0 };
  const violations: string[] = [];
  let last = 0;

  function check(step: Step): void {
    seen.steps += 1;
    if (step.kind === 'replaced') seen.snapshots += 1;
    const { revision } = replica;
    if (step.kind === 'changed' && revision !== last + 1) violations.push(`gap: ${last} → ${revision}`);
    if (revision < last) violations.push(`back in time: ${last} → ${revision}`);
    const shown = [...replica.records.values()].map(
      ({ key, value, revision: at }) => `${key}@${at}=${JSON.stringify(value)}`,
    );
    if (shown.toSorted().join('\n') !== states.at(revision))
      violations.push(`revision ${revision} was never like this`);
    last = revision;
  }
  const client = createLinkClient(
    { kind: 'socket', path: wire.path },
    { edge: 'e', site: 's', version: '1' },
    { clock: systemClock, rng },
  );
  const following = client.follow(
    replica,
    { connected() {}, step: check, disconnected: () => (seen.breaks += 1) },
    ending.signal,
  );
  let hurry = 0;
  // A slow machine sees more of the breaks and less of the steps: it goes on until it has seen both.
  const enough = () => seen.steps >= 30 && seen.snapshots >= 2 && seen.breaks >= 4;
  for (let i = 0; i < changes || (!enough() && i < 10 * changes); i++) {
    await control.put(states.next(rng));
    if (rng.below(8) === 0) wire.cut();
    if (rng.below(8) === 0) wire.pause(rng.below(10));
    if (rng.below(40) === 0) {
      await control.down();
      await control.up();
    }
    // A partition that outlasts the history: only a snapshot helps.
    if (rng.below(30) === 0) hurry = 20;
    if (hurry-- > 0) wire.cut();
    else if (rng.below(2) === 0) await eventually(() => assert.equal(replica.revision, i + 1), 200).catch(() => {});
  }
  const end = await control.store.read((view) => view.revision);
  await eventually(() => assert.equal(replica.revision, end));
  ending.abort();
  await following;
  client.close();
  assert.deepEqual(violations, []);
  return seen;
}

/** Every revision of the world as the checker would print it; next() makes the next one. */
function history() {
  const records = new Map<string, string>();
  const states = new Map<number, string>([[0, '']]);
  let revision = 0;
  return {
    at: (revision: number) => states.get(revision),
    next(rng: Rng): Record<string, unknown> {
      revision += 1;
      const changes: Record<string, unknown> = {};
      for (let n = rng.below(4); n >= 0; n--) {
        const prefix = [...FOLLOWED, 'key/', 'policy/'][rng.below(FOLLOWED.length + 2)] ?? '';
        changes[`${prefix}${rng.below(6)}`] =
          rng.below(4) === 0 ? undefined : { n: rng.below(1_000), pad: 'x'.repeat(rng.below(5_000)) };
      }
      // A commit that changes nothing makes no revision.
      changes['proxy/always'] = { revision };
      for (const [key, value] of Object.entries(changes)) {
        if (!FOLLOWED.some((prefix) => key.startsWith(prefix))) continue;
        if (value === undefined) records.delete(key);
        else records.set(key, `${key}@${revision}=${JSON.stringify(value)}`);
      }
      states.set(revision, [...records.values()].toSorted().join('\n'));
      return changes;
    },
  };
}

/** A Unix socket in front of control's that can be cut and stopped at any byte. */
async function badWire(control: ControlEnd, rng: Rng) {
  const path = join(control.folder, 'wire.sock');
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(control.socket);
    // Some connections die in the middle of whatever is on its way.
    let left = rng.below(3) === 0 ? rng.below(60_000) : Infinity;
    far.on('data', (chunk) => {
      left -= chunk.length;
      if (left < 0) near.destroy();
      else if (!near.write(chunk)) far.pause();
    });
    near.on('drain', () => far.resume());
    near.on('data', (chunk) => far.write(chunk));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return {
    path,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    pause(ms: number) {
      for (const socket of sockets) socket.pause();
      systemClock.after(ms, () => {
        for (const socket of sockets) socket.resume();
      });
    },
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
