import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDomainName } from './domain-name.ts';

const GOOD = [
  'a',
  'postgres',
  'my_db',
  'example.com',
  'example.com.',
  'xn--fiq228c.cn',
  '1.example',
  '0x7f.example',
  '0xg',
  '_srv.a-b.c',
  `${'a'.repeat(63)}.b`,
];
const BAD = [
  '',
  '.',
  'a..b',
  '-a.b',
  'a-.b',
  'a b',
  'a:80',
  'http://a',
  '1.2.3.4',
  '300.1.1.1',
  '1234',
  '0x7f000001',
  'a.0X1f',
  '0b1',
  'a.0o17.',
  '::1',
  'ä.de',
  '*.a',
  `${'a'.repeat(64)}.b`,
];
const LONG = `${'abcdefghi.'.repeat(25)}abcd`;

test('what can be the name of a host', () => {
  for (const name of GOOD) assert.ok(isDomainName(name), name);
  for (const name of BAD) assert.ok(!isDomainName(name), name);
  assert.ok(!isDomainName(LONG));
});
