import { engineSuite } from '../../../test/suites/engine-suite.ts';
import { createWorkerEngine } from './worker-engine.ts';

engineSuite('node engine on a thread', { create: (events) => createWorkerEngine('node', events) }, [
  'udp',
  'change',
  'ranges',
]);
