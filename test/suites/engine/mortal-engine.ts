/** The node engine with a weakness, for tests of what happens around it: a rule named `poison` kills its thread. */
import type { EngineFactory } from '../../../src/engines/engine.ts';
import { createNodeEngine } from '../../../src/engines/node/engine.ts';

export const createMortalEngine: EngineFactory = async (events) => {
  const engine = await createNodeEngine(events);
  return {
    ...engine,
    apply(listener) {
      if (listener.id !== 'poison') return engine.apply(listener);
      return new Promise(() => {
        setImmediate(() => {
          throw new Error('poisoned');
        });
      });
    },
  };
};
