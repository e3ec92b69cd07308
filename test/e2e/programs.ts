/**
 * Starting programs of the system for a test: each in a folder of its own, on a port the system chose, ended by its
 * process id. `await using` leaves nothing behind.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../suites/engine/fixture.ts';

const run = promisify(execFile);
const OUTPUT_LIMIT = 16 * 1024 * 1024;

/** Runs to its end and gives its standard output; rejects with what it said where it fails. */
export async function output(
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', ...environment };
  const { stdout } = await run(command, [...args], { env, maxBuffer: OUTPUT_LIMIT, timeout: 180_000 });
  return stdout;
}

/** A folder that any user of the system may enter. */
export function folder(name: string): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), `edgefour-${name}-`));
  chmodSync(path, 0o755);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

interface Program extends AsyncDisposable {
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<void>;
}

/** Runs in the foreground until disposed; resolves once its TCP port answers. */
export async function serve(
  command: string,
  args: readonly string[],
  port: number,
  address = '127.0.0.1',
): Promise<Program> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await eventually(async () => {
    assert.equal(child.exitCode, null, `${command} ended: ${said}`);
    await answers(port, address);
  });
  return {
    ended,
    signal: (name) => void child.kill(name),
    [Symbol.asyncDispose]: () => end(child, ended),
  };
}

/** SIGINT: PostgreSQL's word for a fast shutdown; the others take it as any end. */
async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
  await ended;
}

function answers(port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address, () => {
      socket.destroy();
      resolve();
    }).once('error', reject);
  });
}
