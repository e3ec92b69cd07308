import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkResponse } from './check-response.ts';
import { float, list, nullable, object, onOff, optional, string, unsigned } from './shape.ts';

const FIELDS = {
  Id: string('Id.'),
  Count: unsigned('Count.'),
  Share: optional(float('Share.')),
  Ipv6: onOff('IPv6.'),
  Items: list(object({ Name: string('Name.'), Detail: nullable(string('Detail.')) }, 'Item.'), 'Items.'),
};

test('a good answer has nothing wrong', () => {
  const answer = { Id: '', Count: 0, Ipv6: 'on', Items: [{ Name: 'a', Detail: null }] };
  assert.deepEqual(checkResponse(FIELDS, answer), []);
});

test('everything wrong is told, with its path', () => {
  const answer = { Id: null, Count: -1, Share: 'x', Ipv6: 'yes', Items: [{ Detail: 5 }, 'x'], More: 1 };
  assert.deepEqual(checkResponse(FIELDS, answer), [
    'More is not declared',
    'Id is null',
    'Count is not a good integer: -1',
    'Share is not a good float: "x"',
    'Ipv6 is not a good enum: "yes"',
    'Items.0.Name is missing',
    'Items.0.Detail is not a good string: 5',
    'Items.1. is no object',
  ]);
  assert.deepEqual(checkResponse(FIELDS, []), ['. is no object']);
});
