/** Table of what a reader of PROXY headers must take and refuse; the properties are shared with `npm run fuzz`. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { passThroughProperties } from './pass-through-properties.ts';
import { parsePpv1, parsePpv2, type Parsed } from './pass-through-parse.ts';

passThroughProperties(1000);

const ppv2 = (hex: string): Parsed => parsePpv2(Buffer.from(`0d0a0d0a000d0a515549540a${hex}`, 'hex'));

test('PROXY protocol 2: what is legal and what is not', () => {
  const table: [hex: string, kind: Parsed['kind'], why: string][] = [
    ['20000000', 'unnamed', 'LOCAL'],
    ['2011000c7f0000017f00000100010002', 'unnamed', 'LOCAL with addresses to skip'],
    ['21000000', 'unnamed', 'UNSPEC'],
    ['21000003ffffff', 'unnamed', 'UNSPEC with bytes to skip'],
    [`213100d8${'00'.repeat(216)}`, 'unnamed', 'a Unix stream socket'],
    [`213200d8${'00'.repeat(216)}`, 'unnamed', 'a Unix datagram socket'],
    ['2111000c7f0000017f00000100010002', 'proxied', 'TCP over IPv4'],
    ['211100117f0000017f00000100010002040002abcd', 'proxied', 'with one TLV'],
    ['2111000f7f0000017f00000100010002040000', 'proxied', 'with an empty TLV'],
    ['211100107f0000017f00000100010002040002ab', 'invalid', 'TLV longer than the header'],
    ['2111000e7f0000017f000001000100020400', 'invalid', 'half a TLV'],
    ['2111000b7f0000017f000001000100', 'invalid', 'shorter than its addresses'],
    ['1111000c7f0000017f00000100010002', 'invalid', 'version 1 in the binary form'],
    ['2211000c7f0000017f00000100010002', 'invalid', 'an unknown command'],
    ['2114000c7f0000017f00000100010002', 'invalid', 'an unknown transport'],
    ['2141000c7f0000017f00000100010002', 'invalid', 'an unknown family'],
    ['2111ffff', 'incomplete', 'a long header, to be continued'],
  ];
  for (const [hex, kind, why] of table) assert.equal(ppv2(hex).kind, kind, why);
});

test('PROXY protocol 1: what is legal and what is not', () => {
  const table: [line: string, kind: Parsed['kind']][] = [
    ['PROXY UNKNOWN\r\n', 'unnamed'],
    ['PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n', 'unnamed'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 0 65535\r\n', 'proxied'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 0 65536\r\n', 'invalid'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n', 'invalid'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n', 'invalid'],
    ['PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n', 'invalid'],
    ['PROXY TCP4 ::1 ::1 1 2\r\n', 'invalid'],
    ['PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n', 'invalid'],
    ['PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n', 'invalid'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n', 'incomplete'],
    [`PROXY UNKNOWN ${'x'.repeat(107)}\r\n`, 'invalid'],
    ['GET / HTTP/1.1\r\n', 'invalid'],
    ['', 'incomplete'],
  ];
  for (const [line, kind] of table) assert.equal(parsePpv1(Buffer.from(line)).kind, kind, line);
});
