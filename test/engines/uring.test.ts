/** The uring engine held to the engine suite: everything the node engine does, on io_uring. */
import { describe, test } from 'node:test';
import { createUringEngine } from '../../src/edge/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/edge/engines/uring/probe.ts';
import { engineSuite } from '../suites/engine-suite.ts';

const missing = await whyUnavailable();

if (missing === undefined) engineSuite('uring', { create: createUringEngine });
else describe('uring engine', () => test('is not available here', { skip: missing }, () => {}));
