/** The kernel engine held to the engine suite, between clients and origins on another machine. */
import { describe, test } from 'node:test';
import type { EngineEvents } from '../../src/engines/engine.ts';
import { hostEngine } from '../../src/engines/hosting/worker-engine.ts';
import { engineSuite } from '../suites/engine-suite.ts';
import { isolationCases } from '../suites/engine/isolation-cases.ts';
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
  const under = { create: (events: EngineEvents) => hostEngine('kernel', source, events) };
  engineSuite('kernel engine', under);
  describe('kernel engine', () => isolationCases(under, { connections: 1000, sessions: 500 }));
} else describe('kernel engine', () => test('is not available here', { skip: missing }, () => {}));
