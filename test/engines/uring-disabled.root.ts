/**
 * Where io_uring is switched off: the engine exists, takes nothing and says why in one line; `auto` then means node, and
 * a whole program starts, says so once and serves. The switch is back whatever becomes of the test.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { chooseEngine } from '../../src/engines/hosting/choose.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngine } from '../../src/engines/uring/engine.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { listener } from '../suites/engine/listener.ts';
import { ask, tcpClient } from '../suites/engine/tcp-peers.ts';
import { edgefour } from '../world/command.ts';
import { treeWorld } from '../world/world.ts';
import { switchValue, whyNotSwitched, withoutUring } from './uring-switch.ts';

const WHY = 'io_uring is switched off: set sysctl kernel.io_uring_disabled=0 (it is 2)';
const quiet = { record() {}, listener() {}, outcomes() {}, log() {} };
const skip = whyNotSwitched() ?? false;

describe('kernel.io_uring_disabled=2', { skip }, () => {
  let off: AsyncDisposable | undefined;
  before(async () => (off = await withoutUring()));
  after(() => off?.[Symbol.asyncDispose]());

  test('one clear line, and rules go to the node engine', async (t) => {
    const uring = await createUringEngine(quiet);
    const node = await createNodeEngine(quiet);
    t.after(() => Promise.all([uring.stop(0), node.stop(0)]));
    assert.equal(uring.capabilities().unavailable, WHY);
    assert.deepEqual(await uring.apply(listener({ id: 'r' })), { ok: false, reason: WHY });
    const engines = new Map([
      ['uring', uring.capabilities()],
      ['node', node.capabilities()],
    ] as const);
    const { targets, ...rule } = listener({ id: 'r' });
    const choice = chooseEngine(
      { ...rule, origins: targets.map(({ address, ...rest }) => ({ host: address, ...rest })) },
      'auto',
      engines,
    );
    assert.deepEqual(choice, { engine: 'node', why: `uring: ${WHY}` });
  });

  test('`edgefour up` says it once and serves; status and doctor say it, too', async (t) => {
    await using w = await treeWorld();
    const said = (): number => w.place.output().split(WHY).length - 1;
    await eventually(() => assert.equal(said(), 1, w.place.output()));
    const { address, ports } = await w.proxy('fallen-back', [{}]);
    assert.equal(await ask(await tcpClient(t, address, ports[0] ?? 0), 'served'), 'served');
    const status = await edgefour(['status', '--data', w.folder]);
    assert.equal(status.code, 0, status.stderr);
    assert.match(status.stdout, /\bnode\b/);
    assert.ok(status.stdout.includes(`uring: ${WHY}`), status.stdout);
    const doctor = await edgefour(['doctor', ...w.args]);
    assert.ok(doctor.stdout.includes(WHY), doctor.stdout);
    assert.equal(said(), 1, 'a rule is no reason to say it again');
  });
});

test('the switch is back when who has set it is killed', { skip }, async () => {
  const value = switchValue();
  const module = new URL('uring-switch.ts', import.meta.url).href;
  const script = `
    const { withoutUring } = await import(${JSON.stringify(module)});
    await withoutUring();
    console.log('off');
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  assert.equal(switchValue(), '2');
  holder.kill('SIGKILL');
  await eventually(() => assert.equal(switchValue(), value));
});
