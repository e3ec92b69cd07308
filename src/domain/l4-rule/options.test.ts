import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { changedOptions, type OptionsChange } from './options.ts';

const change: fc.Arbitrary<OptionsChange> = fc.record(
  {
    drain: fc.constantFrom('keep', 'drain', 'reset'),
    drainSeconds: fc.nat(100),
    idleSeconds: fc.nat(100),
    unhealthy: fc.constantFrom('keep', 'drain', 'reset'),
    passive: fc.constantFrom('on', 'off'),
    kernelUnchecked: fc.constantFrom('on', 'off'),
    slowStartSeconds: fc.nat(3_600),
  },
  { requiredKeys: [] },
);

test('of each option the last value that was sent counts, and one that was never sent is not there', () => {
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const after = changes.reduce<ReturnType<typeof changedOptions> | undefined>(changedOptions, undefined) ?? {};
      const { drain, drainSeconds, ...plain } = Object.assign({}, ...changes) as OptionsChange;
      const isDrainSet = drain !== undefined || drainSeconds !== undefined;
      const wanted = { ...(isDrainSet && { drain: { how: drain ?? 'drain', seconds: drainSeconds ?? 30 } }), ...plain };
      assert.deepEqual(after, wanted);
    }),
  );
});

test('an option that is undefined stays as it is', () => {
  const before = { passive: 'off', slowStartSeconds: 5 } as const;
  assert.deepEqual(changedOptions(before, { passive: undefined, slowStartSeconds: undefined }), before);
});
