/**
 * What every engine must do, as far as its capabilities claim it. A test file of an engine calls this with the engine's
 * factory, for all subjects or for those that the file is about; the cases live in engine/, by subject.
 */
import { describe } from 'node:test';
import { announceCases } from './engine/announce-cases.ts';
import { barredCases } from './engine/barred-cases.ts';
import { bindingCases } from './engine/binding-cases.ts';
import { changeCases } from './engine/change-cases.ts';
import { choiceCases } from './engine/choice-cases.ts';
import type { EngineUnderTest } from './engine/fixture.ts';
import { isolationCases } from './engine/isolation-cases.ts';
import { outcomeCases } from './engine/outcome-cases.ts';
import { recordCases } from './engine/record-cases.ts';
import { rangeCases } from './engine/range-cases.ts';
import { stateCases } from './engine/state-cases.ts';
import { tcpCases } from './engine/tcp-cases.ts';
import { udpCases } from './engine/udp-cases.ts';
import { unhealthyCases } from './engine/unhealthy-cases.ts';

const SUBJECTS = {
  tcp: tcpCases,
  choice: choiceCases,
  states: stateCases,
  outcomes: outcomeCases,
  unhealthy: unhealthyCases,
  barred: barredCases,
  announce: announceCases,
  udp: udpCases,
  binding: bindingCases,
  change: changeCases,
  ranges: rangeCases,
  isolation: isolationCases,
  records: recordCases,
};
type Subject = keyof typeof SUBJECTS;

export function engineSuite(
  name: string,
  under: EngineUnderTest,
  subjects: readonly Subject[] = Object.keys(SUBJECTS) as Subject[],
): void {
  describe(name, () => {
    for (const subject of subjects) SUBJECTS[subject](under);
  });
}
