import assert from 'node:assert/strict';
import { test } from 'node:test';
import { target } from '../../../test/suites/engine/listener.ts';
import type { Listener } from '../engine.ts';
import { translatable, readListener } from './translatable.ts';
import { RULES } from './testdata/rules.ts';

test('a listener is taken with its addresses as the kernel writes them', () => {
  const read = readListener({ ...RULES.both, entries: ['2001:DB8:0::1'], targets: [target('::ffff:10.0.0.1')] });
  assert.ok('listener' in read);
  assert.deepEqual([read.listener.entries, read.listener.targets[0]?.address], [['2001:db8::1'], '10.0.0.1']);
});

test('what must never reach nft, or can never be led, is refused in words', () => {
  const cases: readonly (readonly [RegExp, Partial<Listener>])[] = [
    [/letters/, { id: 'rule"; flush ruleset; #' }],
    [/letters/, { proxy: 'sid 1' }],
    [/cannot do PPV2/, { mode: 'PPV2' }],
    [/no entry address/, { entries: [] }],
    [/is not an address/, { entries: ['192.0.2.1 }'] }],
    [/is not an address/, { targets: [target('example.com')] }],
  ];
  for (const [expected, change] of cases) {
    const read = readListener({ ...RULES.one, ...change });
    assert.match('reason' in read ? read.reason : '', expected);
  }
});

const RULE = (entries: string[], ...targets: string[]): Listener => ({
  ...RULES.one,
  entries,
  targets: targets.map((address) => target(address)),
});

test('translation keeps to one family, and to one side of loopback', () => {
  const why = (entries: string[], ...targets: string[]) => {
    const reached = translatable(RULE(entries, ...targets));
    return 'reason' in reached ? reached.reason : 'fine';
  };
  assert.equal(why(['192.0.2.1'], '10.0.0.1'), 'fine');
  assert.equal(why(['192.0.2.1', '2001:db8::1'], '10.0.0.1', 'fd00::1'), 'fine');
  assert.equal(why(['127.44.0.1'], '127.0.0.1'), 'fine');
  assert.equal(why(['192.0.2.1']), 'fine');
  assert.match(why(['2001:db8::1'], '10.0.0.1'), /2001:db8::1 is IPv6 and no origin is/);
  assert.match(why(['127.44.0.1'], '10.0.0.1'), /never leave the machine/);
  assert.match(why(['192.0.2.1'], '127.0.0.1'), /name an address of this machine/);
  assert.match(why(['2001:db8::1'], '::1'), /name an address of this machine/);
});

test('an entry that cannot be led takes no other with it, and is told of', () => {
  const served = (listener: Listener, forwards?: (entry: string) => string | undefined) => {
    const reached = translatable(listener, forwards);
    return 'reason' in reached ? reached.reason : [reached.listener.entries, reached.note];
  };
  const both = ['192.0.2.1', '2001:db8::1'];
  assert.deepEqual(served(RULE(both, '10.0.0.1')), [
    ['192.0.2.1'],
    'not served: 2001:db8::1 is IPv6 and no origin is: the kernel engine leads to origins of the same family only',
  ]);
  assert.match(String(served(RULE(both, 'fd00::1'))), /^2001:db8::1,not served: 192\.0\.2\.1 is IPv4/);
  assert.match(String(served(RULE(['192.0.2.1', '127.44.0.1'], '10.0.0.1'))), /^192\.0\.2\.1,not served: 127\.44/);
  const v6IsOff = (entry: string) => (entry.includes(':') ? 'it does not forward' : undefined);
  assert.deepEqual(served(RULE(both, '10.0.0.1', 'fd00::1'), v6IsOff), [
    ['192.0.2.1'],
    'not served: it does not forward',
  ]);
});
