/**
 * The command line's front: finds the command, loads only that, and turns what it throws into one line and an exit code.
 * Started by bin/edgefour.js; the supervisor starts its children through it too.
 */
import process from 'node:process';
import { nearest } from '../config/flags.ts';
import { Usage } from '../config/usage.ts';
import { type Command, helpOf } from './command.ts';
import { Refusal } from './refusal.ts';

// order: a command is loaded when it is asked for: `up` must not pay for the API, nor `status` for the data plane.
const COMMANDS: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  up: () => import('./commands/up.ts'),
  control: () => import('./commands/control.ts'),
  edge: () => import('./commands/edge.ts'),
  status: () => import('./commands/status.ts'),
  doctor: () => import('./commands/doctor.ts'),
  config: () => import('./commands/config.ts'),
  backup: () => import('./commands/backup.ts'),
  reset: () => import('./commands/reset.ts'),
  key: () => import('./commands/key.ts'),
  policy: () => import('./commands/policy.ts'),
  ban: () => import('./commands/ban.ts'),
  unban: () => import('./commands/unban.ts'),
  fault: () => import('./commands/fault.ts'),
  api: () => import('./commands/api.ts'),
  version: () => import('./commands/version.ts'),
};

async function main([name = 'help', ...args]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') return main(['version', ...args]);
  if (name === 'help' || name === '--help' || name === '-h') return help(args[0]);
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) throw unknown(name);
  const { command } = await load();
  if (args.includes('--help') && command.ownHelp !== true) return print(helpOf(name, command));
  return command.run(args);
}

async function help(name: string | undefined): Promise<number> {
  if (name !== undefined) {
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!load) throw unknown(name);
    return print(helpOf(name, (await load()).command));
  }
  const lines = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => `  ${name.padEnd(9)}${(await load()).command.summary}`),
  );
  return print(['EdgeFour: a Layer 4 edge proxy with the EdgeOne L4 API.', '', ...lines, ''].join('\n'));
}

function unknown(name: string): Usage {
  const near = nearest(name, Object.keys(COMMANDS));
  return new Usage(`Unknown command ${name}.${near ? ` Did you mean ${near}?` : ' See `edgefour help`.'}`);
}

function explain(error: unknown): number {
  if (error instanceof Refusal) {
    process.stderr.write(`edgefour: ${error.code}: ${error.message} (RequestId ${error.requestId})\n`);
    return 1;
  }
  // A store says in the same way that its files can't be used; its class is not worth loading it here.
  if (!(error instanceof Usage) && !(error instanceof Error && error.name === 'StoreUnusable')) throw error;
  process.stderr.write(`edgefour: ${error.message}\n`);
  return 2;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = explain(error);
}
