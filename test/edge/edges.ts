/** Edges for tests of the agent: on a folder of a control end, with engines on this thread, and records to feed them. */
import { connect } from 'node:net';
import { startEdge } from '../../src/edge/agent.ts';
import type { Edge, EdgeTools } from '../../src/edge/edge.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/observe/log.ts';
import type { ControlEnd } from './control-end.ts';
import { factoryOf, type FakeEngine } from './fake-engine.ts';

/** Without a fake: the real node engine. */
export async function edgeOn(
  control: ControlEnd,
  fake?: FakeEngine,
  tools: Partial<EdgeTools> = {},
): Promise<Edge & AsyncDisposable> {
  const config = { dataDir: control.folder, edgeId: 'e1', site: 'local', join: control.socket, version: 'test' };
  const engines = { node: fake ? factoryOf(fake) : createNodeEngine };
  // Entry addresses of fake engines are on no machine.
  const defaults = {
    log: silentLog,
    clock: systemClock,
    engines,
    ...(fake && { here: (wanted: readonly string[]) => new Set(wanted) }),
  };
  const edge = await startEdge({ ...config, engine: 'auto' }, { ...defaults, ...tools });
  return { ...edge, [Symbol.asyncDispose]: () => edge.stop(0) };
}

export const PLACE = {
  'site/local': { id: 'local', pool: ['127.0.0.0/8'], areas: ['overseas'] },
  'zone/zone-a': { id: 'zone-a', paused: false, changed: 1 },
};

export function proxy(name: string, entry: string, rules: readonly object[], more: object = {}) {
  const base = { id: `sid-${name}`, zone: 'zone-a', name, area: 'overseas', entries: { local: { v4: entry } } };
  return { ...base, want: 'online', banned: false, changed: 0, rules, ...more };
}

export function rule(id: string, port: number, origin: string, originPort: number, more: object = {}) {
  const to = { originType: 'IP_DOMAIN', originValue: [origin], originPortRange: `${originPort}` };
  return { id, protocol: 'TCP', portRange: [`${port}`], ...to, want: 'online', changed: 0, ...more };
}

/** What comes back for `text` over TCP; rejects where nobody answers. */
export function echo(address: string, port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address, () => socket.end(text));
    let back = '';
    socket
      .setTimeout(20_000, () => socket.destroy(new Error('no answer')))
      .on('data', (chunk) => (back += chunk.toString()))
      .on('end', () => resolve(back))
      .on('error', reject);
  });
}
