/** The kernel engine held to the engine suite, between clients and origins on another machine. */
import { describe, test } from 'node:test';
import { hostEngine } from '../../src/edge/worker-engine.ts';
import { engineSuite } from '../suites/engine-suite.ts';
import { whyNoNamespaces } from './kernel-namespaces.ts';
import { takeStage } from './kernel-stage.ts';

const source = {
  module: new URL('kernel-in-edge.ts', import.meta.url).href,
  factory: 'createInEdge',
  options: { use: 'by name', onStop: 'flush', owner: 'test' },
};
const missing = whyNoNamespaces();

if (missing === undefined) {
  takeStage();
  engineSuite('kernel engine', { create: (events) => hostEngine('kernel', source, events) });
} else describe('kernel engine', () => test('is not available here', { skip: missing }, () => {}));
