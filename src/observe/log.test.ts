/** A9: whatever a fact holds, it is one value of one line, and a short one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock as clock } from '../lib/clock.ts';
import { createLog } from './log.ts';

function lines(format: 'json' | 'text', facts: Readonly<Record<string, unknown>>): string[] {
  const out: string[] = [];
  createLog({ level: 'info', format, clock, write: (line) => out.push(line) }).info('said', facts);
  return out;
}

const HOSTILE = 'a\nforged code=OK \u001b[2J\u009b31m\u2028\u202e\r\u007f';

for (const format of ['json', 'text'] as const) {
  test(`${format}: no control character of a value, a name or a list gets out`, () => {
    const [line = '', ...more] = lines(format, { who: HOSTILE, [HOSTILE]: 1, list: [HOSTILE], in: { deep: HOSTILE } });
    assert.equal(more.length, 0);
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
    assert.ok(line.endsWith('\n'));
  });

  test(`${format}: a value of megabytes is cut, wherever it is`, () => {
    const big = 'x'.repeat(3_000_000);
    const [line = ''] = lines(format, { big, list: [big], many: Array.from({ length: 1e5 }, () => 1), in: { big } });
    assert.ok(line.length < 1_000, `${line.length}`);
    assert.doesNotMatch(line, /x{201}/);
  });
}

test('text: a value with a blank in it does not read as another field', () => {
  assert.match(lines('text', { why: 'no code=OK' })[0] ?? '', /why="no code=OK"/);
});

test('json: what was escaped reads as it was', () => {
  const said = JSON.parse(lines('json', { who: HOSTILE })[0] ?? '') as { who: string };
  assert.equal(said.who, HOSTILE);
});
