/** A million hostile HTTP requests on a control of its own; `HTTP_CALLS` says another number, `SEED` replays one. */
import { env } from 'node:process';
import { test } from 'node:test';
import { hostileHttp, keepsItsWord, told } from '../suites/hostile-http-run.ts';

const calls = Number(env['HTTP_CALLS'] ?? 1_000_000);
const seed = Number(env['SEED'] ?? Date.now() % 1_000_000);

test(`${calls} hostile requests, seed ${seed}`, async (t) => {
  const outcome = await hostileHttp(calls, seed, (text) => t.diagnostic(text));
  t.diagnostic(told(outcome));
  keepsItsWord(outcome);
});
