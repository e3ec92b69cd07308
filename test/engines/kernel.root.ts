/** The kernel engine held to the engine suite, between clients and origins on another machine, and on one machine alone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import { hostEngine } from '../../src/edge/worker-engine.ts';
import { engineSuite } from '../suites/engine-suite.ts';
import { settle } from '../suites/engine/fixture.ts';
import { EDGE_NAMESPACE } from './kernel-in-edge.ts';
import { enter, makeNamespaces, whyNoNamespaces } from './kernel-namespaces.ts';

const source = {
  module: new URL('kernel-in-edge.ts', import.meta.url).href,
  factory: 'createInEdge',
  options: { use: 'by name', onStop: 'flush', owner: 'test' },
};
const missing = whyNoNamespaces();

if (missing === undefined) {
  const world = makeNamespaces();
  after(() => world[Symbol.dispose]());
  enter(world.out);
  process.env[EDGE_NAMESPACE] = world.edge;
  settle({
    address: () => world.address(),
    entry: () => world.entry(),
    async occupy(address, port) {
      const script = `require('node:net').createServer().listen(${port}, '${address}', () => console.log('listening'))`;
      const other = spawn('ip', ['netns', 'exec', world.edge, process.execPath, '-e', script]);
      await once(other.stdout, 'data');
      return () => (other.kill(), once(other, 'close'));
    },
  });
  engineSuite('kernel engine between machines', { create: (events) => hostEngine('kernel', source, events) });
} else describe('kernel engine', () => test('is not available here', { skip: missing }, () => {}));
