/** The same as in src/lib/handoff/door.test.ts for longer: 3,000 conversations with a door. */
import { test } from 'node:test';
import { hostileDoor } from '../../src/lib/handoff/hostile.fixture.ts';

test('a door that some local process speaks to', () => hostileDoor(3_000));
