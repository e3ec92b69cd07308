/** Origins that are set by hand, on the kernel engine: on an edge in a namespace, in a process of its own. */
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { takeStage } from '../engines/kernel-stage.ts';
import { controlEnd } from './control-end.ts';
import { drains } from './set-origins.ts';
import { spawnEdge } from './spawned-edge.ts';

const missing = whyNoNamespaces();
if (missing === undefined) describe('origins set by hand', () => drained(takeStage()));
else describe('origins set by hand', () => test('is not available here', { skip: missing }, () => {}));

function drained(world: Namespaces): void {
  test('drained by hand on the kernel engine', async (t) => {
    await using control = await controlEnd();
    let edge = spawnEdge(world, control, 'kernel');
    const stop = async () => {
      if (edge.exitCode !== null || edge.signalCode !== null) return;
      const gone = once(edge, 'exit');
      edge.kill('SIGTERM');
      await gone;
    };
    await using _ = { [Symbol.asyncDispose]: stop };
    await drains(t, {
      control,
      async restart() {
        await stop();
        edge = spawnEdge(world, control, 'kernel');
      },
      address: () => world.address(),
      entry: world.entry(),
    });
  });
}
