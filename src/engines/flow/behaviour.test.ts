import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as behaviour from './behaviour.ts';

test('the numbers of behaviour are what the documents promise', () =>
  assert.deepEqual(
    { ...behaviour },
    {
      RECORD_EVERY_MS: 60_000,
      SWEEP_MS: 500,
      STOP_POLL_MS: 20,
      OUTCOMES_MS: 100,
      FAILURES_AT_ONCE: 3,
      CONNECTION_DESCRIPTORS: 2,
      KEEPALIVE_SECONDS: 60,
      SEGMENT_BYTES: 1448,
      MOST_TIMEOUTS: 3,
      MOST_PORT_REFUSALS: 8,
      SETTLE_MS: 50,
      STALLED_MS: 30_000,
      LARGEST_DATAGRAM_V4: 65_507,
      LARGEST_DATAGRAM_V6: 65_527,
      REST_MS: 10_000,
      ANSWERED_MS: 500,
      UNANSWERED_MS: 10_000,
      CONVERSATION_MS: 30_000,
      FORSAKEN_LOOK_MS: 1_000,
      MOST_REMEMBERED_CLIENTS: 65_536,
      MOST_RETIRED: 10_000,
      SMALLEST_SHARE: 128,
    },
  ));
