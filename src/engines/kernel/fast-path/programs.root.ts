/**
 * The fast path's programs, packet in and packet out, in the kernel and on no interface: what they teach each other, what
 * they do to a packet, and which ones they leave alone. Needs CAP_BPF and CAP_NET_ADMIN.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { type Frame, frameOf, isSound } from '../../../../test/engines/frames.ts';
import { type Run, runProgram } from '../../../../test/engines/program-run.ts';
import { kernelTime } from '../../../lib/clock.ts';
import { setElement } from '../../../linux/ebpf/calls.ts';
import { ENDINGS, endingBits, markOf, TOLD } from '../table/marks.ts';
import { createFastPath } from './fast-path.ts';
import { ENTRY, KEY, ORIGINAL, readTotal, SEEN, TOTAL } from './layout.ts';
import { loadPrograms, type Programs } from './programs.ts';

const [NEXT, REDIRECT] = [-1, 7];
const LINK = [Uint8Array.of(2, 0, 0, 0, 0, 1), Uint8Array.of(2, 0, 0, 0, 0, 2)] as const;
const MARK = markOf(7);
const REPLY = (MARK & ~ORIGINAL) >>> 0;
const payload = Uint8Array.from({ length: 61 }, (_, i) => 7 * i);

/** As it comes, and as it leaves after the long way. */
interface Way {
  readonly comes: Frame;
  readonly leaves: Frame;
}

const WAYS: Readonly<Record<string, Way>> = {
  'TCP over IPv4': way('TCP', ['198.51.100.7', 40_000], ['192.0.2.1', 443], ['10.1.0.1', 40_000], ['10.2.0.9', 8443]),
  'UDP over IPv4': way('UDP', ['198.51.100.7', 5353], ['192.0.2.1', 53], ['10.1.0.1', 1024], ['10.2.0.9', 53]),
  'TCP over IPv6': way('TCP', ['2001:db8::7', 40_000], ['2001:db8:1::1', 443], ['fd00::1', 40_001], ['fd00::9', 8443]),
  'UDP over IPv6': way('UDP', ['2001:db8::7', 1], ['2001:db8:1::1', 65_535], ['fd00::1', 65_535], ['fd00::9', 1]),
  'a port that stays': way('TCP', ['198.51.100.7', 9], ['192.0.2.1', 22], ['198.51.100.7', 9], ['10.2.0.9', 22]),
};

type End = Frame['from'];
function way(protocol: Frame['protocol'], from: End, to: End, newFrom: End, newTo: End): Way {
  const comes: Frame = { protocol, from, to, payload };
  return { comes, leaves: { ...comes, from: newFrom, to: newTo, hops: 63, link: LINK } };
}

let missing: string | undefined;
try {
  loadPrograms().close();
} catch (error) {
  missing = (error as Error).message;
}
if (missing === undefined) describe('fast path', () => cases());
else describe('fast path', () => test('is not available here', { skip: missing }, () => {}));

function cases(): void {
  for (const [name, { comes, leaves }] of Object.entries(WAYS)) {
    test(`${name}: what was done to one packet is done to the next`, (t) => {
      const programs = load(t);
      teach(programs, comes, leaves);
      for (const next of [comes, { ...comes, payload: Uint8Array.of(1, 2, 3), sequence: 99, service: 8, hops: 2 }]) {
        const { answer, frame } = carry(programs, next);
        assert.equal(answer, REDIRECT);
        const expected = { ...next, from: leaves.from, to: leaves.to, hops: (next.hops ?? 64) - 1, link: LINK };
        assert.deepEqual(frame, frameOf(expected));
        assert.ok(isSound(frame));
      }
    });
  }

  test('any addresses, ports and payload: checksums stay right', (t) => {
    const programs = load(t);
    const port = fc.nat({ max: 65_535 });
    const v4 = fc.ipV4();
    const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(textOfV6);
    const ends = fc.oneof(v4, v6).chain((first) => {
      const like = first.includes(':') ? v6 : v4;
      return fc.tuple(fc.constant(first), like, like, like);
    });
    const given = fc.tuple(ends, fc.tuple(port, port, port, port), fc.constantFrom('TCP', 'UDP'), fc.uint8Array());
    fc.assert(
      fc.property(given, fc.uint8Array({ maxLength: 200 }), ([[a, b, c, d], [p, q, r, s], protocol, first], then) => {
        const comes: Frame = { protocol, from: [a, p], to: [b, q], payload: first };
        const leaves: Frame = { ...comes, from: [c, r], to: [d, s], hops: 63, link: LINK };
        teach(programs, comes, leaves);
        const next = then.subarray(0, first.length);
        const { frame } = carry(programs, { ...comes, payload: next });
        assert.deepEqual(frame, frameOf({ ...leaves, payload: next }));
      }),
      { numRuns: 300 },
    );
  });

  test('a datagram without a checksum stays without', (t) => {
    const programs = load(t);
    const { comes, leaves } = WAYS['UDP over IPv4'] as Way;
    teach(programs, comes, leaves);
    const { frame } = carry(programs, { ...comes, noChecksum: true });
    assert.deepEqual(frame, frameOf({ ...leaves, noChecksum: true }));
  });

  test('packets and bytes are counted, of the connection and of the rule each way', (t) => {
    const programs = load(t);
    const { comes, leaves } = WAYS['UDP over IPv6'] as Way;
    teach(programs, comes, leaves, MARK | TOLD);
    for (let i = 0; i < 4; i++) carry(programs, comes);
    const padded = Uint8Array.from([...frameOf(comes), 0, 0, 0]);
    assert.deepEqual(runProgram(programs.carry, padded).frame, Uint8Array.from([...frameOf(leaves), 0, 0, 0]));
    const bytes = 5 * (40 + 8 + payload.length);
    const entries: unknown[] = [];
    programs.flows.each((view, _, at) => entries.push([read(view, at + ENTRY.packets), read(view, at + ENTRY.octets)]));
    assert.deepEqual(entries, [[5n, BigInt(bytes)]]);
    const sums: unknown[] = [];
    programs.totals.each((view, key, at) => {
      const [packets, octets] = [sum(programs, view, at + TOTAL.packets), sum(programs, view, at + TOTAL.octets)];
      sums.push({ ...readTotal(view.getUint32(key, true)), packets, octets });
    });
    const of = { index: 7, isOriginal: true, isV6: true, protocol: 17 };
    assert.deepEqual(sums, [{ ...of, packets: 5, octets: bytes }]);
  });

  test('what would have to be thought about goes the long way, as it is', (t) => {
    const programs = load(t);
    const { comes, leaves } = WAYS['TCP over IPv4'] as Way;
    teach(programs, comes, leaves);
    const others: Readonly<Record<string, Frame>> = {
      'no hop left': { ...comes, hops: 1 },
      'a fragment': { ...comes, fragment: 0x2000 },
      'a later fragment': { ...comes, fragment: 5 },
      options: { ...comes, options: 1 },
      'another port': { ...comes, from: [comes.from[0], 1] },
      'another protocol': { ...comes, protocol: 'UDP' },
      'a frame for somebody else': { ...comes, link: LINK },
      'more than has passed': { ...comes, payload: new Uint8Array(payload.length + 1) },
    };
    for (const [name, frame] of Object.entries(others)) untouched(programs, frame, name);
    assert.equal(carry(programs, comes).answer, REDIRECT);
    const long = frameOf({ ...comes, payload: new Uint8Array(2000) });
    const cutInto = (segment: number): number => runProgram(programs.carry, long, { segment }).answer;
    assert.deepEqual([cutInto(payload.length), cutInto(payload.length + 1)], [REDIRECT, NEXT]);
    const tooLong = frameOf(comes);
    new DataView(tooLong.buffer).setUint16(16, tooLong.length - 13);
    assert.equal(runProgram(programs.carry, tooLong).answer, NEXT);
    for (const length of [34, 38, 41, 53]) {
      const cut = frameOf(comes).subarray(0, length);
      assert.equal(runProgram(programs.carry, cut).answer, NEXT, `${length} bytes`);
    }
  });

  for (const [name, flags] of [
    ['FIN', 1 | 16],
    ['RST', 4],
    ['SYN', 2],
  ] as const)
    test(`${name}: this packet and all that come after it, both ways, go the long way`, (t) => {
      const programs = load(t);
      const { comes, leaves } = WAYS['TCP over IPv6'] as Way;
      const back: Frame = { ...comes, from: leaves.to, to: leaves.from };
      teach(programs, comes, leaves);
      teach(programs, back, { ...back, from: comes.to, to: comes.from, hops: 63, link: LINK }, REPLY);
      assert.equal(carry(programs, back).answer, REDIRECT);
      untouched(programs, { ...comes, flags }, name);
      untouched(programs, comes, 'the next one');
      untouched(programs, back, 'the other way');
    });

  test('after a change one packet goes the long way, and teaches what is new', (t) => {
    const programs = load(t);
    const { comes, leaves } = WAYS['UDP over IPv4'] as Way;
    teach(programs, comes, leaves);
    forget(programs);
    untouched(programs, comes, 'the first one');
    const moved: Frame = { ...leaves, link: [LINK[1], LINK[0]] };
    teach(programs, comes, moved);
    assert.deepEqual(carry(programs, comes).frame, frameOf(moved));
  });

  test('what is no more is forgotten: of rules that are gone, what has ended, what was silent for too long', (t) => {
    const programs = load(t);
    const { comes, leaves } = WAYS['UDP over IPv4'] as Way;
    const others = [markOf(7), markOf(7) | TOLD, markOf(8), markOf(9)].map((mark) => mark >>> 0);
    for (const [i, mark] of others.entries())
      teach(programs, { ...comes, from: [comes.from[0], 100 + i] }, leaves, mark);
    const idle = new Map([
      [7, 5],
      [8, 120],
    ]);
    let now = kernelTime();
    const fast = createFastPath({
      programs,
      served: { look() {}, close() {} },
      asking: { get: () => 0 },
      now: () => now,
    });
    const left = (): number[] => {
      fast.sweep((index) => idle.get(index));
      const ports: number[] = [];
      programs.flows.each((view, key) => ports.push(view.getUint16(key + KEY.ports)));
      return ports.toSorted((a, b) => a - b);
    };
    now += 2e9;
    assert.deepEqual(left(), [100, 101, 102]);
    now += 70e9;
    assert.deepEqual(left(), [102]);
    now += 120e9;
    assert.deepEqual(left(), []);
  });

  const unlike: Readonly<Record<string, (way: Way) => { readonly leaves: Frame; readonly mark?: number }>> = {
    'not stamped': ({ leaves }) => ({ leaves, mark: 0 }),
    'a mark of somebody else': ({ leaves }) => ({ leaves, mark: 0x4000 }),
    'one side has ended it': ({ leaves }) => ({ leaves, mark: (MARK | endingBits(ENDINGS.clientFin)) >>> 0 }),
    'another traffic class': ({ leaves }) => ({ leaves: { ...leaves, service: 0x20 } }),
    'other sequence numbers': ({ leaves }) => ({ leaves: { ...leaves, sequence: 2 } }),
    'two hops': ({ leaves }) => ({ leaves: { ...leaves, hops: 62 } }),
    'another length': ({ leaves }) => ({ leaves: { ...leaves, payload: Uint8Array.of(1) } }),
    'another protocol': ({ leaves }) => ({ leaves: { ...leaves, protocol: 'UDP' } }),
  };
  for (const [name, make] of Object.entries(unlike))
    test(`nothing is learned: ${name}`, (t) => {
      const programs = load(t);
      const one = WAYS['TCP over IPv4'] as Way;
      const { leaves, mark = MARK } = make(one);
      for (let i = 0; i < 5; i++) lesson(programs, one.comes, leaves, mark);
      assert.equal(known(programs), 0);
      untouched(programs, one.comes, name);
    });

  test('nothing is learned from a packet that is not the last that came', (t) => {
    const programs = load(t);
    const { comes, leaves } = WAYS['UDP over IPv4'] as Way;
    for (let i = 0; i < 5; i++) {
      lesson(programs, comes, { ...leaves, protocol: 'TCP' });
      // Kept once, compared once.
      runProgram(programs.learn, frameOf(leaves), { mark: MARK });
    }
    assert.equal(known(programs), 0);
  });
}

function load(t: TestContext): Programs {
  const programs = loadPrograms();
  t.after(() => programs.close());
  return programs;
}

const carry = ({ carry }: Programs, frame: Frame): Run => runProgram(carry, frameOf(frame));

/** A packet comes, and leaves after the long way. */
function lesson(programs: Programs, comes: Frame, leaves: Frame, mark = MARK): void {
  // A program that is run alone always finds number 0 on the packet, so that is what the next one gets.
  const seen = new Uint8Array(SEEN.bytes * programs.totals.copies);
  for (let at = SEEN.nonce; at < seen.length; at += SEEN.bytes) seen.set([0xff, 0xff], at);
  setElement(programs.seen, new Uint8Array(4), seen);
  assert.equal(carry(programs, comes).answer, NEXT);
  const before = frameOf(leaves);
  const { answer, frame } = runProgram(programs.learn, before, { mark });
  assert.equal(answer, NEXT);
  assert.deepEqual(frame, before);
}

let generation = 0;
function forget(programs: Programs): void {
  programs.generation.set(++generation);
}

/** limit: both have to run on one processor, and a thread may be moved in between. */
const TRIES = 50;

function teach(programs: Programs, comes: Frame, leaves: Frame, mark = MARK): void {
  for (let tried = 0; tried < TRIES; tried++) {
    forget(programs);
    lesson(programs, comes, leaves, mark);
    if (carriedOnce(programs, comes)) return;
  }
  assert.fail('nothing is learned');
}

/** Whether it would be, without its being counted. */
function carriedOnce(programs: Programs, comes: Frame): boolean {
  const { answer } = carry(programs, comes);
  if (answer !== REDIRECT) return false;
  clearCounts(programs);
  return true;
}

function clearCounts({ flows, totals }: Programs): void {
  const entries: [Uint8Array, Uint8Array][] = [];
  flows.each((view, key, at) => {
    const value = new Uint8Array(view.buffer, at, ENTRY.bytes).slice();
    value.fill(0, ENTRY.packets, ENTRY.until);
    entries.push([new Uint8Array(view.buffer, key, 40).slice(), value]);
  });
  for (const [key, value] of entries) setElement(flows.fd, key, value);
  const keys: Uint8Array[] = [];
  totals.each((view, key) => keys.push(new Uint8Array(view.buffer, key, 4).slice()));
  for (const key of keys) setElement(totals.fd, key, new Uint8Array(TOTAL.bytes * totals.copies));
}

function untouched(programs: Programs, frame: Frame, what: string): void {
  const before = frameOf(frame);
  const run = runProgram(programs.carry, before);
  assert.equal(run.answer, NEXT, what);
  assert.deepEqual(run.frame, before, what);
}

function known({ flows }: Programs): number {
  let count = 0;
  flows.each(() => (count += 1));
  return count;
}

const read = (view: DataView, at: number): bigint => view.getBigUint64(at, true);

function sum({ totals }: Programs, view: DataView, at: number): number {
  let all = 0n;
  for (let copy = 0; copy < totals.copies; copy++) all += read(view, at + copy * TOTAL.bytes);
  return Number(all);
}

function textOfV6(bytes: Uint8Array): string {
  return Array.from({ length: 8 }, (_, i) => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16)).join(
    ':',
  );
}
