/**
 * `edgefour up`: a small process that keeps control and edge alive beside each other, tells a person where they are, and
 * ends them in order. It holds no state but the lock, so killing it loses nothing.
 */
import { BACKGROUND, isInBackground, startInBackground } from '../run/background.ts';
import { startChild } from '../run/child.ts';
import type { Command } from '../command.ts';
import { leave } from '../run/leave.ts';
import { stay } from '../run/stay.ts';
import { UPGRADE } from '../succession/upgrade-flag.ts';

export const command: Command = {
  summary: 'Run control and one edge on this machine (what `npm start` does).',
  usage: '[settings]',
  roles: ['up'],
  flags: { ...UPGRADE, ...BACKGROUND },
  async run(args) {
    if (isInBackground(args)) return startInBackground(args);
    // order: the children load their code while this process looks at settings and folder; they wait for its word.
    const first = { control: startChild('control', args), edge: startChild('edge', args) };
    const { supervise } = await import('../run/supervise.ts');
    return supervise(args, first).then((code) => stay(leave(code)));
  },
};
