/** The exit code of `edgefour status`: what counts as well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthy, type Status } from './status.ts';

function status(
  alive: Record<string, boolean>,
  instances: readonly { at: readonly string[]; rule?: string }[],
): Status {
  const Edges = Object.entries(alive).map(([Site, Alive]) => ({ EdgeId: `edge-${Site}`, Site, Alive }));
  const Instances = instances.map(({ at, rule = 'online' }) => ({
    Status: 'online',
    Entries: at.map((Site) => ({ Site, Addresses: [] })),
    Rules: [{ Status: rule }],
  }));
  return { Edges, Instances } as unknown as Status;
}

test('well: nothing has failed, and each instance has a live edge somewhere', () => {
  const cases: [boolean, Status][] = [
    [true, status({ a: true }, [{ at: ['a'] }])],
    [true, status({ a: true, b: false }, [{ at: ['a', 'b'] }])],
    [true, status({ a: true }, [{ at: ['a'] }, { at: ['unknown'] }])],
    [false, status({ a: true, b: false }, [{ at: ['a'] }, { at: ['b'] }])],
    [false, status({ a: true }, [{ at: ['a'], rule: 'fail' }])],
    [false, status({ a: false }, [])],
    [false, status({}, [])],
  ];
  for (const [expected, of] of cases) assert.equal(healthy(of), expected, JSON.stringify(of));
});
