/** The same as in src/handoff/door.test.ts for longer: 3,000 conversations with a door. */
import { test } from 'node:test';
import { hostileDoor } from '../../src/handoff/hostile.fixture.ts';

test('a door that some local process speaks to', () => hostileDoor(3_000));
