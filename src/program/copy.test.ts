/** What is kept of a program, in a process of its own: keeping is once and for all of a process. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');

/** Runs `main` beside a copy of what it needs; `gone` is a function there that removes all of it. */
function run(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'edgefour-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const part of ['src/program', 'src/linux', 'src/lib', 'node_modules/koffi', 'node_modules/@koromix'])
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'src', 'program', name), text);
  return execFileSync(process.execPath, [join(root, 'src', 'program', 'main.ts')], { encoding: 'utf8' });
}

const MAIN = `
  import { once } from 'node:events';
  import { rmSync, writeFileSync } from 'node:fs';
  import { keepProgram, startThread } from './copy.ts';
  const thread = new URL('thread.ts', import.meta.url);
  const root = new URL('../../', import.meta.url);
  async function said(data: unknown) {
    const [word] = await once(startThread(thread, { workerData: data }), 'message');
    console.log(word);
  }
`;
const THREAD = `
  import { parentPort, workerData } from 'node:worker_threads';
  import type { Gone } from './nothing.ts';
  import { word } from './word.ts';
  const { later } = await import('./later.ts');
  parentPort?.postMessage(\`\${word} \${later} \${workerData as string}\`);
`;
const FILES = {
  'thread.ts': THREAD,
  'word.ts': `export const word: string = 'kept';`,
  'later.ts': `import manifest from '../../package.json' with { type: 'json' };
    import { getpid } from './pid.ts';
    export const later = \`\${manifest.type} \${getpid() === process.pid}\`;`,
  'pid.ts': `import koffi from 'koffi'; export const getpid = koffi.load(null).func('int getpid()');`,
};

test('threads start again and again from what was kept, the addon with them, once the files are gone', (t) => {
  const main = `${MAIN} await keepProgram([thread]);
    rmSync(root, { recursive: true });
    await said(1);
    await said(2);`;
  assert.equal(run(t, { ...FILES, 'main.ts': main }), 'kept module true 1\nkept module true 2\n');
});

test('what is imported later comes from what was kept, in the process itself too; other files come from the disk', (t) => {
  const main = `${MAIN} await keepProgram([thread]);
    writeFileSync(new URL('word.ts', import.meta.url), 'export const word = "changed"');
    writeFileSync(new URL('other.ts', import.meta.url), 'export const other = "of the disk"');
    const [name, other] = ['./word.ts', './other.ts'];
    console.log((await import(name)).word, (await import(other)).other);
    await said(3);`;
  assert.equal(run(t, { ...FILES, 'main.ts': main }), 'kept of the disk\nkept module true 3\n');
});

test('where nothing is kept, threads start from the disk', (t) => {
  const main = `${MAIN} await said(4);`;
  assert.equal(run(t, { ...FILES, 'main.ts': main }), 'kept module true 4\n');
});

test('a thread that can not be loaded says so as an error', (t) => {
  const main = `${MAIN} await keepProgram([thread]);
    const [error] = await once(startThread(new URL('nowhere.ts', import.meta.url), {}), 'error');
    console.log(error.code);`;
  assert.equal(run(t, { ...FILES, 'main.ts': main }), 'ERR_MODULE_NOT_FOUND\n');
});
