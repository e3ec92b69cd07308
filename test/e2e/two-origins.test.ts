/**
 * The tutorial docs/tutorials/two-origins.md as it is written, but for the port of its origins, which a program of this machine
 * may have: its commands in one shell, and what it says that they show.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { freePort } from '../suites/engine/fixture.ts';
import { MAIN } from '../world/command.ts';
import { treeWorld } from '../world/world.ts';
import { folder } from './programs.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TUTORIAL = readFileSync(join(ROOT, 'docs', 'tutorials', 'two-origins.md'), 'utf8');
/** limit: its commands take a tenth of this; it may have to wait for a check, too. */
const WITHIN_MS = 240_000;

const skip =
  process.platform !== 'linux'
    ? 'only Linux has all of 127.0.0.0/8'
    : !existsSync('/usr/bin/curl') && 'curl is not installed';

test('two origins, one dies: each command, and what it is said to show', { skip, timeout: 300_000 }, async (t) => {
  await using w = await treeWorld();
  // `npx edgefour` of a checkout, without npm's way there.
  using bin = folder('bin');
  const npx = join(bin.path, 'npx');
  writeFileSync(npx, `#!/bin/sh\nshift\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  chmodSync(npx, 0o755);
  const environment = { PATH: `${bin.path}:${process.env['PATH']}`, EDGEFOUR_DATA: w.folder };

  const port = await freePort();
  const [start, ...sections] = sectionsOf(TUTORIAL.replaceAll('3000', `${port}`));
  assert.deepEqual(start, { title: '1. Start', commands: 'npm start\n' });
  const said = await shell(t, sections, environment);
  const shown = (number: number): string => said.get(number) ?? '';
  const names = (number: number): string[] => shown(number).match(/^(?:one|two)$/gm) ?? [];

  assert.deepEqual(names(2), ['one', 'two']);
  assert.deepEqual(names(5).toSorted(), ['one', 'one', 'one', 'two', 'two', 'two']);
  assert.match(shown(5), /^og-\w+, checked$/m);
  const up = (address: string): string => `TCP ${address}:${port} +up .*\\n`;
  assert.match(shown(5), new RegExp(`^${up('127.0.0.2')}${up('127.0.0.3')}\\n2 origins, all up$`, 'm'));
  assert.deepEqual(
    names(6),
    Array.from({ length: 10 }, () => 'one'),
  );
  assert.match(shown(6), new RegExp(`^TCP 127.0.0.3:${port} +down +\\d+s +(?:traffic|probe) .*\\n  .*refused`, 'm'));
  assert.match(shown(6), /^ {4}1 of 2 origins up; 127\.0\.0\.3 down: .*refused/m);
  assert.deepEqual(names(7).toSorted(), ['one', 'one', 'one', 'two', 'two', 'two']);
  assert.match(shown(8), /^127\.0\.0\.2 is out of use for 30m: /m);
  assert.deepEqual(names(8), ['two', 'two', 'two', 'two']);
  assert.match(shown(8), /^127\.0\.0\.2 is left to checks and traffic\.$/m);
  assert.doesNotMatch(shown(9), /refused|denied/i);
});

interface Section {
  readonly title: string;
  readonly commands: string;
}

function sectionsOf(text: string): Section[] {
  const [, ...sections] = text.split(/^## /m);
  return sections.map((section) => ({
    title: section.split('\n', 1)[0] ?? '',
    commands: [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, commands = '']) => commands).join(''),
  }));
}

const MARK = '=== section ';

/** What each section shows on both streams, by its number. */
async function shell(
  t: TestContext,
  sections: readonly Section[],
  environment: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<number, string>> {
  const script = sections.map(({ title, commands }) => `echo '${MARK}${Number.parseInt(title)}'\n${commands}`).join('');
  const env = { ...process.env, ...environment };
  const child = spawn('bash', ['-c', `exec 2>&1\n${script}`], { cwd: ROOT, env, detached: true });
  const end = (): void => {
    // With what it has started.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const late = setTimeout(end, WITHIN_MS);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (said += part));
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(late);
  t.diagnostic(said);
  assert.equal(code, 0, said);
  const [, ...parts] = said.split(MARK);
  return new Map(parts.map((part) => [Number.parseInt(part), part]));
}
