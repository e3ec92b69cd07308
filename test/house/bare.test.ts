/** House tests look at neither comments nor strings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bare } from './bare.ts';

test('comments and strings go, lines and code stay', () => {
  const cases: [string, RegExp, RegExp][] = [
    ['const a = 1; // Date.now()\nb();', /const a = 1;\s*\nb\(\);/, /Date/],
    ['/** Date.now()\n * x */\nb();', /^\s*\n\s*\nb\(\);$/, /Date/],
    ["log('Date.now() // x'); b();", /log\('\s*'\); b\(\);/, /Date/],
    ['const at = `a ${clock.now()} // b`;', /clock\.now\(\)/, /\/\//],
    ["const quote = /['\"]/; b('Date');", /b\('/, /Date/],
    ["const slash = /[/*]/g; b('Date');", /b\('/, /Date/],
    ["const half = all / 2; c('Date') / 3;", /all \/ 2; c\('/, /Date/],
  ];
  for (const [text, holds, gone] of cases) {
    const { skeleton } = bare(text);
    assert.match(skeleton, holds, text);
    assert.doesNotMatch(skeleton, gone, text);
    assert.equal(skeleton.split('\n').length, text.split('\n').length, text);
  }
});
