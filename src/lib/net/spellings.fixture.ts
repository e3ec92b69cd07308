/**
 * Texts that may be addresses, and what this system's getaddrinfo(3) takes them for (AI_NUMERICHOST: no look-up leaves the
 * machine). Linux only, for tests of egress.ts.
 */
import fc from 'fast-check';
import koffi from 'koffi';
import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { formatAddress } from './address.ts';
import { readHost } from './egress.ts';

const self = koffi.load(null);
const getaddrinfo = self.func('int getaddrinfo(const char *node, const char *service, void *hints, void *result)');
const freeaddrinfo = self.func('void freeaddrinfo(intptr_t list)');

const AI_NUMERICHOST = 4;
const SOCK_STREAM = 1;
/** struct addrinfo: flags, family, socktype, protocol, addrlen; the address's pointer is its fourth word of eight bytes. */
const HINTS = Int32Array.of(AI_NUMERICHOST, 0, SOCK_STREAM, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const ADDRINFO = 48;
const ADDRESS_WORD = 3;
const AF_INET = 2;

/** The address, or undefined where it is none to the system. */
export function askPlatform(text: string): Uint8Array | undefined {
  assert.equal(endianness(), 'LE');
  const result = new BigUint64Array(1);
  if (getaddrinfo(text, null, HINTS, result) !== 0) return undefined;
  const list = result[0] ?? 0n;
  const pointer = new BigUint64Array(koffi.view(list, ADDRINFO).slice(0))[ADDRESS_WORD] ?? 0n;
  const name = new Uint8Array(koffi.view(pointer, 28).slice(0));
  freeaddrinfo(list);
  return name[0] === AF_INET ? name.subarray(4, 8) : name.subarray(8, 24);
}

const number = fc.oneof(
  { weight: 4, arbitrary: fc.nat(255) },
  fc.nat(0xffff),
  fc.nat(0xffffffff),
  fc.constantFrom(0, 127, 169, 255, 256, 0x7f000001, 0x100000000),
);
const PREFIXES = { '': 10, '0x': 16, '0X': 16, '0': 8, '000': 8, '0x00': 16, '0b': 2, '0o': 8, '+': 10 } as const;
const digits: fc.Arbitrary<string> = fc
  .tuple(number, fc.constantFrom(...(Object.entries(PREFIXES) as [string, number][])))
  .map(([value, [prefix, base]]) => prefix + value.toString(base));
const odd = fc.constantFrom('', 'a', '0x', '-1', '08', '0xg', '１');
const quad = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((bytes) => bytes.join('.'));
const ending = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  fc.constantFrom('.', '..', ' ', '%1', '%lo', '\t', ' x'),
);
const part = fc.oneof({ weight: 20, arbitrary: digits }, { weight: 1, arbitrary: odd });
const v4 = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 5 }), ending)
  .map(([parts, end]) => parts.join('.') + end);
const word = fc.oneof(
  { weight: 12, arbitrary: fc.nat(0xffff).map((value) => value.toString(16)) },
  fc.constantFrom('0', 'ffff', 'FE80', '0000', '00001', 'g', '64', 'ff9b'),
);
const words = fc.array(word, { maxLength: 6 }).map((all) => all.join(':'));
const v6 = fc
  .tuple(words, fc.constantFrom('::', '::', '::', ':'), words, fc.option(fc.oneof(quad, v4)), ending, fc.nat(9))
  .map(([head, gap, tail, last, end, n]) => {
    const text = `${head}${gap}${tail}${last === null ? '' : `${tail === '' ? '' : ':'}${last}`}${end}`;
    return n === 0 ? `[${text}]` : text;
  });
const noise = fc.string({ unit: fc.constantFrom(...'0123456789abcdefxXoO.:%[]-_ '.split('')), maxLength: 24 });

/** Close to an address, in one way or another. */
export const spelling = fc.oneof({ weight: 2, arbitrary: v4 }, { weight: 2, arbitrary: v6 }, noise);

/** Whatever the system takes for a number is that address to us: never a name, and never another one. Says whether it was one. */
export function agrees(text: string): boolean {
  const theirs = askPlatform(text);
  if (!theirs) return false;
  const ours = readHost(text);
  assert.equal(
    ours.kind === 'address' ? formatAddress(ours.bytes) : ours.kind,
    formatAddress(theirs),
    JSON.stringify(text),
  );
  return true;
}
