/** kill -9 at the real tree: of control, of the edge, of everything. What was answered stays, forwarding comes back. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { test } from 'node:test';
import { eventually } from '../suites/engine/fixture.ts';
import { edgefour } from '../world/command.ts';
import { inProcesses, type Tree } from '../world/places.ts';
import { treeWorld, type World } from '../world/world.ts';
import { datagram, dial, exchange, say } from './clients.ts';

/** The promise is 10 s; a machine that is busy with other tests takes longer to start a process. */
const BACK_WITHIN_MS = 60_000;

const skip = process.platform === 'linux' ? false : 'finding the children of a process is done with /proc';

function pidOf(w: World<Tree>, role: 'control' | 'edge'): number {
  const pid = w.place.pids()[role];
  assert.ok(pid, `no ${role} process`);
  return pid;
}

/** Until a new process of the role is there. */
async function replaced(w: World<Tree>, role: 'control' | 'edge', old: number): Promise<void> {
  await eventually(() => assert.notEqual(pidOf(w, role), old), BACK_WITHIN_MS);
}

test('killing control disturbs no flow, and it is back by itself on the same port', { skip }, async () => {
  await using w = await treeWorld();
  const { address, ports, proxyId } = await w.proxy('steady', [{}, { Protocol: 'UDP' }]);
  const [tcp = 0, udp = 0] = ports;
  const socket = await dial(address, tcp);
  assert.equal(await say(socket, 'before'), 'before');

  const old = pidOf(w, 'control');
  process.kill(old, 'SIGKILL');
  assert.equal(await say(socket, 'while it is away'), 'while it is away');
  assert.equal((await datagram(address, udp, Buffer.from('udp'))).toString(), 'udp');
  assert.equal((await exchange(address, tcp, Buffer.from('new'))).toString(), 'new');
  await replaced(w, 'control', old);
  await eventually(async () => {
    const { TotalCount } = await w.client.call('DescribeL4ProxyRules', { ZoneId: w.zoneId, ProxyId: proxyId });
    assert.equal(TotalCount, 2);
  }, BACK_WITHIN_MS);
  const more = await w.rules(proxyId, [{}]);
  assert.equal((await exchange(address, more.ports[0] ?? 0, Buffer.from('x'))).toString(), 'x');
  assert.equal(await say(socket, 'after'), 'after');
  socket.destroy();
});

test('a killed edge is back from its own disk, even while control is down', { skip }, async () => {
  await using w = await treeWorld();
  const { address, ports } = await w.proxy('fromdisk', [{}, { Protocol: 'UDP' }]);
  const [tcp = 0, udp = 0] = ports;
  const control = pidOf(w, 'control');
  // Stopped, not killed: the supervisor would bring a killed one back.
  process.kill(control, 'SIGSTOP');
  try {
    const old = pidOf(w, 'edge');
    process.kill(old, 'SIGKILL');
    await replaced(w, 'edge', old);
    await eventually(async () => {
      assert.equal((await exchange(address, tcp, Buffer.from('tcp'))).toString(), 'tcp');
    }, BACK_WITHIN_MS);
    // order: a rule that serves says nothing of the next one; a datagram that comes before it is lost.
    await eventually(async () => {
      assert.equal((await datagram(address, udp, Buffer.from('udp'), 1_000)).toString(), 'udp');
    }, BACK_WITHIN_MS);
  } finally {
    process.kill(control, 'SIGCONT');
  }
});

test('both killed at once are both back', { skip }, async () => {
  await using w = await treeWorld();
  const { address, ports } = await w.proxy('both', [{}]);
  const before = { control: pidOf(w, 'control'), edge: pidOf(w, 'edge') };
  for (const pid of Object.values(before)) process.kill(pid, 'SIGKILL');
  await replaced(w, 'control', before.control);
  await replaced(w, 'edge', before.edge);
  await eventually(async () => {
    assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('x'))).toString(), 'x');
    await w.client.call('DescribeL4Proxy', { ZoneId: w.zoneId });
  }, BACK_WITHIN_MS);
});

test('killing everything loses no answered write, and the next start forwards by itself', { skip }, async () => {
  await using w = await treeWorld();
  const { address, ports, proxyId } = await w.proxy('survivor', [{}]);
  const { ruleIds } = await w.rules(proxyId, [{ RuleTag: 'the last write' }]);
  const { up, control, edge } = w.place.pids();
  for (const pid of [up, control, edge]) if (pid !== undefined) process.kill(pid, 'SIGKILL');
  await w.place.ended;

  await using again = await startAgain(w);
  assert.equal(again.facts.zoneId, w.zoneId);
  assert.equal(again.facts.secretId, w.secretId);
  await eventually(async () => {
    assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('back'))).toString(), 'back');
  }, BACK_WITHIN_MS);
  const status = await edgefour(['status', '--data', w.folder]);
  assert.match(status.stdout, new RegExp(`${ruleIds[0]} \\(the last write\\)`));
});

test('children end by themselves when their supervisor is killed', { skip }, async () => {
  await using w = await treeWorld();
  const { up, control = 0, edge = 0 } = w.place.pids();
  const badness = (pid: number): number => Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1'));
  assert.equal(badness(control), Math.max(500, badness(up)), 'short of memory, the kernel ends control first');
  assert.equal(badness(edge), badness(up));
  process.kill(up, 'SIGKILL');
  await w.place.ended;
  await eventually(() => assert.deepEqual([isAlive(control), isAlive(edge)], [false, false]));
  await using _again = await startAgain(w);
});

/** order: it ends before the world's folder goes, in which it writes. */
async function startAgain(w: World<Tree>): Promise<Tree & AsyncDisposable> {
  const tree = await inProcesses(w.args, {}, `${w.folder}-again.json`);
  return { ...tree, [Symbol.asyncDispose]: () => tree.stop() };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
