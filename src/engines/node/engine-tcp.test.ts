import { engineSuite } from '../../../test/suites/engine-suite.ts';
import { createNodeEngine } from './engine.ts';

engineSuite('node engine', { create: createNodeEngine }, ['tcp']);
