/** Hostile API calls (T37), a bounded run; the inputs that once broke something are kept in testdata/hostile.json. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { answers, hostileCalls, openHostileDesk, signedCalls } from './hostile.ts';

interface Kept {
  readonly why: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly code: string;
}

test('hostile calls get an answer, never an error of ours', async () => {
  await using desk = await openHostileDesk();
  const calls = await hostileCalls(desk);
  await fc.assert(
    fc.asyncProperty(calls, async (raw) => void (await answers(desk, raw))),
    { numRuns: 1500 },
  );
});

test('a signed call with another body is never let through', async () => {
  await using desk = await openHostileDesk();
  const calls = (await signedCalls(desk)).filter((raw) => raw.method === 'POST' && raw.body.length > 0);
  await fc.assert(
    fc.asyncProperty(calls, fc.nat(), fc.integer({ min: 1, max: 255 }), async (raw, at, flip) => {
      const body = Uint8Array.from(raw.body);
      body[at % body.length] = (body[at % body.length] ?? 0) ^ flip;
      assert.notEqual(await answers(desk, { ...raw, body }), 'OK');
    }),
    { numRuns: 500 },
  );
});

test('kept inputs', async () => {
  await using desk = await openHostileDesk();
  const text = readFileSync(new URL('testdata/hostile.json', import.meta.url), 'utf8');
  for (const { why, code, body, ...raw } of JSON.parse(text) as Kept[]) {
    assert.equal(await answers(desk, { ...raw, body: Buffer.from(body), peer: '' }), code, why);
  }
});
