/** `edgefour doctor`: looks at this machine with the settings `up` would get, and says what to change. Changes nothing. */
import { type Config, readConfig } from '../../config/read.ts';
import { CONTROL_CHECKS } from '../../control/doctor/checks.ts';
import { EDGE_CHECKS } from '../../edge/doctor/checks.ts';
import { lastRules } from '../../edge/doctor/places.ts';
import type { Check, Finding } from '../../observe/finding.ts';
import { readRunning } from '../client/session.ts';
import type { Command } from '../command.ts';
import { write, writeJson } from '../output.ts';

export const command: Command = {
  summary: 'Check this machine: what would stop EdgeFour, what it would miss.',
  usage: '[settings] [--json]',
  roles: ['up'],
  flags: { json: { help: 'For programs.' } },
  notes: ['Exit code 0: it would run. 1: something is in the way.'],
  async run(args) {
    const { config, flags } = readConfig(args, command.roles, command.flags);
    const findings = await examine(config);
    if (flags.has('json')) writeJson(findings);
    else write(asText(findings));
    return findings.some(({ state }) => state === 'bad') ? 1 : 0;
  },
};

async function examine(config: Config): Promise<Finding[]> {
  const running = readRunning(config);
  const isRunning = running !== undefined;
  const served = async (): Promise<number> => (await lastRules(config)).length;
  return [
    ...(await run(EDGE_CHECKS, { config, isRunning })),
    ...(await run(CONTROL_CHECKS, { config, isRunning, program: running?.program, served })),
  ];
}

/** order: one after the other, because some bind what others would find taken. */
async function run<Subject>(checks: readonly Check<Subject>[], subject: Subject): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...(await check(subject)));
  return findings;
}

function asText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ about }) => about.length));
  const lines = findings.map(({ about, state, text, fix }) => {
    const advice = fix === undefined ? '' : `${' '.repeat(width + 7)}→ ${fix}\n`;
    return `${state.padEnd(5)} ${about.padEnd(width)} ${text}\n${advice}`;
  });
  return lines.join('');
}
