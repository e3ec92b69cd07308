/** The reference is what the code says, and its examples are calls that the check accepts. */
import { test } from 'node:test';
import { committed, pages } from '../../docs/reference/pages.ts';
import { ACTIONS } from '../../src/api/actions/index.ts';
import type { AnyAction } from '../../src/api/action.ts';
import { check } from '../../src/shape/check.ts';
import { holds } from './holds.ts';

test('the committed pages are the generated ones', async () => {
  const wanted = await pages();
  const there = committed();
  const stale = [...new Set([...wanted.keys(), ...there.keys()])].filter(
    (path) => wanted.get(path) !== there.get(path),
  );
  holds(stale.map((path) => `docs/reference/${path} is not what the code says: npm run reference`));
});

test('every example is a request that passes the check', () => {
  const invalid = Object.entries<AnyAction>(ACTIONS).flatMap(([name, { request, example }]) => {
    const checked = check(request, example.request, { unknown: 'refuse', text: false });
    return checked.ok ? [] : [`${name}: its example is refused: ${checked.fault.message}`];
  });
  holds(invalid);
});
