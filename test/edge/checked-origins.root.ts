/** Origins that are checked, on an edge in a namespace with each engine: lost packets and lost pings beside all the rest. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { takeStage } from '../engines/kernel-stage.ts';
import { type Death, DEATHS, dies } from './checked-origins.ts';
import { controlEnd } from './control-end.ts';
import { heardFrom } from './said.ts';

const BIN = new URL('../../bin/edgefour.js', import.meta.url).pathname;
const LOST: readonly Death[] = [
  { name: 'packets dropped', fate: 'dropped', check: { type: 'TCP' } },
  { name: 'pings dropped', fate: 'unpinged', check: { type: 'ICMP Ping' } },
];
const RULES = { dropped: '', unpinged: 'icmp type echo-request' } as const;

const missing = whyNoNamespaces();
const noUring = await whyUnavailable();
if (missing === undefined) describe('checked origins', () => checked(takeStage()));
else describe('checked origins', () => test('is not available here', { skip: missing }, () => {}));

function checked(world: Namespaces): void {
  for (const engine of ['node', 'uring', 'kernel']) {
    const skip = (engine === 'uring' && noUring) || false;
    test(`${engine}: an origin that dies is out of use in time, found by its check alone`, { skip }, (t) =>
      diesBehind(t, world, engine),
    );
  }
}

async function diesBehind(t: TestContext, world: Namespaces, engine: string): Promise<void> {
  await using control = await controlEnd();
  const place = ['--join', `unix:${control.socket}`, '--data', join(control.folder, 'edge'), '--site', 'local'];
  const options = [...place, '--engine', engine, '--flush', 'on', '--drain', '1'];
  const args = ['netns', 'exec', world.edge, process.execPath, BIN, 'edge', ...options];
  const edge = spawn('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = heardFrom(edge.stderr);
  await using _ = {
    async [Symbol.asyncDispose]() {
      edge.kill('SIGTERM');
      if (edge.exitCode === null) await once(edge, 'exit');
    },
  };
  let cuts = 0;
  await dies(t, [...DEATHS, ...LOST], {
    control,
    said,
    address: () => world.address(),
    entry: world.entry(),
    cut(fate, address) {
      assert.ok(fate === 'dropped' || fate === 'unpinged');
      const table = `cut${++cuts}`;
      const chain = `chain in { type filter hook input priority 0; ip daddr ${address} ${RULES[fate]} drop; }`;
      execFileSync('nft', [`table inet ${table} { ${chain}; }`]);
      t.after(() => void execFileSync('nft', [`delete table inet ${table}`]));
    },
  });
}
