/**
 * The command line's front: finds the command, loads only that, and turns what it throws into one line and an exit code.
 * Started by bin/edgefour.js; the supervisor starts its children through it too.
 */
import process from 'node:process';
import type { Command } from './command.ts';

// order: a command is loaded when it is asked for: `up` must not pay for the API, nor `status` for the data plane.
const COMMANDS: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  up: () => import('./commands/up.ts'),
  control: () => import('./commands/control.ts'),
  edge: () => import('./commands/edge.ts'),
  status: () => import('./commands/status.ts'),
  origins: () => import('./commands/origins.ts'),
  doctor: () => import('./commands/doctor.ts'),
  config: () => import('./commands/config.ts'),
  backup: () => import('./commands/backup.ts'),
  reset: () => import('./commands/reset.ts'),
  key: () => import('./commands/key.ts'),
  policy: () => import('./commands/policy.ts'),
  ban: () => import('./commands/ban.ts'),
  unban: () => import('./commands/unban.ts'),
  limit: () => import('./commands/limit.ts'),
  fault: () => import('./commands/fault.ts'),
  api: () => import('./commands/api.ts'),
  version: () => import('./commands/version.ts'),
};

async function main([name = 'help', ...args]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') return main(['version', ...args]);
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) return (await import('./help.ts')).helpOrRefuse(COMMANDS, name, args);
  const { command } = await load();
  if (args.includes('--help') && command.ownHelp !== true) return (await import('./help.ts')).showHelp(name, command);
  return command.run(args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = (await import('./explain.ts')).explain(error);
}
