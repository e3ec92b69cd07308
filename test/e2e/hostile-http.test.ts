/** 20,000 hostile HTTP requests: test/fuzz/http.fuzz.ts sends a million. */
import { platform } from 'node:os';
import { test } from 'node:test';
import { hostileHttp, keepsItsWord, told } from '../suites/hostile-http-run.ts';

const skip = platform() !== 'linux' && 'needs /proc, which Linux has';

test('20,000 hostile requests', { skip }, async (t) => {
  const outcome = await hostileHttp(20_000, 1);
  t.diagnostic(told(outcome));
  keepsItsWord(outcome);
});
