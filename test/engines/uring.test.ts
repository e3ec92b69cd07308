/** The uring engine held to the engine suite: everything the node engine does, on io_uring. */
import { describe, test } from 'node:test';
import { createUringEngine } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { engineSuite } from '../suites/engine-suite.ts';

const missing = await whyUnavailable();

if (missing === undefined) engineSuite('uring', { create: createUringEngine });
else describe('uring engine', () => test('is not available here', { skip: missing }, () => {}));
