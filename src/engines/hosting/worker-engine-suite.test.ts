import { engineSuite } from '../../../test/suites/engine-suite.ts';
import { hostEngine } from './worker-engine.ts';

const NODE = { module: new URL('../node/engine.ts', import.meta.url).href, factory: 'createNodeEngine' };

engineSuite('node engine on a thread', { create: (events) => hostEngine('node', NODE, events) }, [
  'udp',
  'change',
  'ranges',
]);
