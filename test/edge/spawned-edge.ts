/** An edge in a process of its own, in the edge's namespace: it follows a control end by that one's socket. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Namespaces } from '../engines/kernel-namespaces.ts';
import type { ControlEnd } from './control-end.ts';

const BIN = new URL('../../bin/edgefour.js', import.meta.url).pathname;

export function spawnEdge(world: Namespaces, control: ControlEnd, engine: string): ChildProcess {
  const place = ['--join', `unix:${control.socket}`, '--data', join(control.folder, 'edge'), '--site', 'local'];
  const options = [...place, '--engine', engine, '--flush', 'on', '--drain', '1'];
  const args = ['netns', 'exec', world.edge, process.execPath, BIN, 'edge', ...options];
  return spawn('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
