/**
 * `edgefour up`: a small process that keeps control and edge alive beside each other, tells a person where they are, and
 * ends them in order. It holds no state but the lock, so killing it loses nothing.
 */
import { isInBackground, startInBackground } from '../up/background.ts';
import { startChild } from '../up/child.ts';
import type { Command } from '../command.ts';
import { BACKGROUND, UPGRADE } from '../run/start-flags.ts';
import { untilDone } from '../run/until-done.ts';

export const command: Command = {
  summary: 'Run control and one edge on this machine (what `npm start` does).',
  usage: '[settings]',
  roles: ['up'],
  flags: { ...UPGRADE, ...BACKGROUND },
  async run(args) {
    if (isInBackground(args)) return startInBackground(args);
    // order: the children load their code while this process looks at settings and folder; they wait for its word.
    const first = { control: startChild('control', args), edge: startChild('edge', args) };
    const { supervise } = await import('../up/supervise.ts');
    return untilDone(supervise(args, first));
  },
};
