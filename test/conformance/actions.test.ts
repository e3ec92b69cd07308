/** The list of actions against the official SDK, and each action's own data against itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { teo } from 'tencentcloud-sdk-nodejs-teo';
import type { AnyAction } from '../../src/api/action.ts';
import { ACTIONS } from '../../src/api/actions/index.ts';
import { UNSUPPORTED, whyUnsupported } from '../../src/api/unsupported.ts';
import { CATALOGUE, type CatalogueEntry } from '../../src/faults/catalogue.ts';
import { check } from '../../src/shape/check.ts';
import { checkResponse } from '../../src/shape/check-response.ts';

const all = Object.entries<AnyAction>(ACTIONS);
const SDK = Object.getOwnPropertyNames(teo.v20220901.Client.prototype).filter((name) => name !== 'constructor');

test('every action of the SDK is built or has a reason, never both', () => {
  const built = all.filter(([, action]) => (action.service ?? 'teo') === 'teo').map(([name]) => name);
  const refused = UNSUPPORTED.flatMap(({ actions }) => actions);
  const ours = [...built, ...refused];
  assert.deepEqual(
    {
      neither: SDK.filter((name) => !ours.includes(name)),
      both: built.filter((name) => refused.includes(name)),
      notInTheSdk: ours.filter((name) => !SDK.includes(name)),
    },
    { neither: [], both: [], notInTheSdk: [] },
  );
});

test('actions of our own are named so, and no others are', () => {
  const own = all.filter(([name]) => name.startsWith('EdgeFour')).map(([name]) => name);
  assert.deepEqual(
    all.filter(([, action]) => action.service === 'edgefour').map(([name]) => name),
    own,
  );
});

test('reasons finish the sentence they stand in', () => {
  for (const { why } of UNSUPPORTED) assert.match(why, /^[a-zE].*\.$/);
  assert.equal(whyUnsupported('constructor'), undefined);
});

for (const [name, { request, response, example, errors }] of all) {
  test(`${name}: its example is a good request and a good answer, its codes are there once`, () => {
    const checked = check(request, example.request, { unknown: 'refuse', text: false });
    assert.deepEqual(checked.ok ? checked.value : checked.fault.message, example.request);
    assert.deepEqual(checkResponse(response, example.response), []);
    assert.deepEqual(
      errors.filter((code) => !Object.hasOwn(CATALOGUE, code)),
      [],
    );
    assert.equal(new Set(errors).size, errors.length);
  });
}

test('every code has both languages, with the same places to fill', () => {
  const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [code, entry] of Object.entries<CatalogueEntry>(CATALOGUE)) {
    for (const wording of [entry, ...(entry.named ? [entry.named] : [])]) {
      assert.match(wording.en, /\.$/, code);
      assert.match(wording.zh, /[\u4e00-\u9fff].*。$/, code);
      assert.deepEqual(places(wording.en), places(wording.zh), code);
    }
  }
});
