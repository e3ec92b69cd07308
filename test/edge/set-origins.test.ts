/** Origins that are set by hand, on an edge in this process; on the kernel engine in set-origins.root.ts. */
import { test } from 'node:test';
import type { EngineFactory } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { loopback } from '../suites/engine/fixture.ts';
import { controlEnd } from './control-end.ts';
import { drains } from './set-origins.ts';
import { edgeOn } from './edges.ts';
import { hearing } from './said.ts';

const noUring = await whyUnavailable(2);
const ENGINES: readonly [string, EngineFactory, string | undefined][] = [
  ['node', createNodeEngine, undefined],
  ['uring', (events) => createUringEngineWith({ workers: 2 }, events), noUring],
];

for (const [name, create, absent] of ENGINES)
  test(`drained by hand on the ${name} engine`, { skip: absent ?? false }, async (t) => {
    await using control = await controlEnd();
    const { log, said } = hearing();
    const start = () => edgeOn(control, undefined, { engines: { [name]: create }, log });
    let edge = await start();
    await using _ = { [Symbol.asyncDispose]: () => edge.stop(0) };
    await edge.ready;
    await drains(t, {
      control,
      said,
      async restart() {
        await edge.stop(0);
        edge = await start();
        await edge.ready;
      },
      address: loopback,
      entry: loopback(),
    });
  });
