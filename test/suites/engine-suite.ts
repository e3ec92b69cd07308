/**
 * What every engine must do, as far as its capabilities claim it. A test file of an engine calls this once with the
 * engine's factory; cases live in engine/, by subject.
 */
import { describe } from 'node:test';
import type { EngineUnderTest } from './engine/fixture.ts';
import { choiceCases } from './engine/choice-cases.ts';
import { tcpCases } from './engine/tcp-cases.ts';
import { udpCases } from './engine/udp-cases.ts';

export function engineSuite(name: string, under: EngineUnderTest): void {
  describe(name, { concurrency: false }, () => {
    tcpCases(under);
    choiceCases(under);
    udpCases(under);
  });
}
