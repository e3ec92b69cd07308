import { engineSuite } from '../../../test/suites/engine-suite.ts';
import { createNodeEngine } from './engine.ts';

engineSuite('node engine', { create: createNodeEngine }, [
  'choice',
  'states',
  'outcomes',
  'unhealthy',
  'barred',
  'announce',
  'udp',
  'binding',
  'ranges',
  'records',
]);
