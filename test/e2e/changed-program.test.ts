/**
 * The checkout moves away, and then comes back as another version, under a running EdgeFour: what was started can do all
 * that it could, a child that is started again is of the new version, and log, status and doctor say both.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import type { Finding } from '../../src/observe/finding.ts';
import { VERSION } from '../../src/program/version.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { type Done, edgefour, spawnCommand } from '../world/command.ts';
import { MAINS } from '../world/places.ts';
import { treeWorld } from '../world/world.ts';
import { exchange } from './clients.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PARTS = ['package.json', 'src', ...['dns-packet', '@leichtgewicht', 'koffi', '@koromix'].map(inModules)];
const WITHIN_MS = 60_000;

function inModules(name: string): string {
  return join('node_modules', name);
}

test('the program moves and changes under a running EdgeFour', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const checkout = join(folder, 'checkout');
  for (const part of PARTS) cpSync(join(ROOT, part), join(checkout, part), { recursive: true });
  const main = join(checkout, 'src', 'cli', 'main.ts');
  MAINS.add(main);
  await using w = await treeWorld({}, (args, environment) => spawnCommand(args, environment, main));
  const said = (command: string, ...more: string[]): Promise<Done> => edgefour([command, '--data', w.folder, ...more]);

  const programFinding = async (): Promise<string> => {
    const findings = JSON.parse((await said('doctor', '--json')).stdout) as Finding[];
    const found = findings.find(({ about }) => about === 'program');
    return `${found?.state} ${found?.text}`;
  };
  assert.match(await programFinding(), /^ok /);

  renameSync(checkout, `${checkout}-moved`);

  // None of an engine's threads has been started so far, and nothing of limits loaded.
  const { proxyId, address, ports } = await w.proxy('late', [{}, { Protocol: 'UDP' }]);
  const serves = async (): Promise<void> => {
    const echo = await exchange(address, ports[0] ?? 0, Buffer.from('there and back'));
    assert.equal(echo.toString(), 'there and back');
  };
  await serves();
  const limited = await said('limit', 'set', proxyId, '--new', '100');
  assert.equal(limited.code, 0, limited.stderr);
  const gone = /the program is no longer at .*checkout.*up --upgrade/;
  await eventually(() => assert.match(w.place.output(), gone), WITHIN_MS);
  await eventually(async () => assert.match((await said('status')).stdout, gone), WITHIN_MS);
  const { stdout } = await said('status');
  assert.doesNotMatch(stdout + w.place.output(), /Cannot find|could not be started|thread died/);
  assert.match(await programFinding(), /^warn the program is no longer at .*checkout/);

  process.kill(w.place.pids().edge ?? 0, 'SIGKILL');
  await eventually(
    () => assert.match(w.place.output(), /edge can't be started again, because the program is not/),
    WITHIN_MS,
  );
  const manifest = join(`${checkout}-moved`, 'package.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(`"version": "${VERSION}"`, '"version": "9.9.9"'));
  renameSync(`${checkout}-moved`, checkout);
  const cameBack = new RegExp(
    `started again from what is on disk now \\(version 9\\.9\\.9\\); version ${VERSION} runs beside it: .*up --upgrade`,
  );
  await eventually(() => assert.match(w.place.output(), cameBack), WITHIN_MS);
  await eventually(async () => assert.match((await said('status')).stdout, cameBack), WITHIN_MS);
  await eventually(serves, WITHIN_MS);
  assert.match(await programFinding(), /^warn version 9\.9\.9 is on disk/);
});
