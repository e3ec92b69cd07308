/** Whether there is a fast path, why not in words, and how conntrack's flows get what was carried past it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Conntrack } from '../conntrack/conntrack.ts';
import type { Flow } from '../../../linux/netlink/conntrack.ts';
import { LIBERAL } from '../sysctl.ts';
import { besideFastPath, chooseFastPath, type FastPathDeps } from './choose.ts';
import { type FastPath, NO_FAST_PATH } from './fast-path.ts';
import { FAST_FROM, keyOf, readTotal, totalsOf } from './layout.ts';

const some: FastPath = { ...NO_FAST_PATH };

function choose(change: Partial<FastPathDeps> & { value?: string; problem?: string }) {
  const [set, logged]: [string[], string[]] = [[], []];
  const log: FastPathDeps['log'] = (_, message) => void logged.push(message);
  const { value = '0', problem, ...rest } = change;
  const sysctls = { read: () => value, set: (name: string) => (set.push(name), problem) };
  const deps = { isWanted: true, isAsked: true, sysctls, open: () => some, log, ...rest };
  return { ...chooseFastPath(deps), set, logged };
}

test('asked for by name, the engine sets what the fast path needs', () => {
  const line = `${LIBERAL.name} is now 1: ${LIBERAL.why}`;
  assert.deepEqual(choose({}), { fast: some, set: [LIBERAL.name], logged: [line] });
  assert.deepEqual(choose({ value: '1' }), { fast: some, set: [], logged: [] });
});

test('without it there is a line that says why', () => {
  const lines = [
    choose({ isAsked: false }),
    choose({ problem: 'EROFS' }),
    choose({
      open: () => {
        throw new Error('the kernel refuses a program: EINVAL');
      },
    }),
  ];
  assert.ok(lines.every(({ fast }) => fast === NO_FAST_PATH));
  assert.deepEqual(
    lines.map(({ note }) => note),
    [
      `without the fast path: sysctl ${LIBERAL.name} is not 1`,
      `without the fast path: sysctl ${LIBERAL.name} cannot be set: EROFS`,
      'without the fast path: the kernel refuses a program: EINVAL',
    ],
  );
  assert.deepEqual(lines[0]?.set, []);
});

test('not wanted, it is nothing to talk about', () => {
  assert.deepEqual(choose({ isWanted: false }), { fast: NO_FAST_PATH, set: [], logged: [] });
});

const end = (address: string, port: number) => ({ address, port });
const flow: Flow = {
  family: 4,
  protocol: 6,
  original: { source: end('198.51.100.7', 40_000), destination: end('192.0.2.1', 443) },
  reply: { source: end('10.2.0.9', 8443), destination: end('10.1.0.1', 40_000) },
  mark: 0,
  id: 1,
  status: 0,
  state: 3,
  timeout: 600,
  bytesIn: 1000,
  packetsIn: FAST_FROM,
  bytesOut: 2000,
  packetsOut: 0,
  startedAt: 0,
  endedAt: undefined,
};

test('flows that may have been on the fast path get what it carried; those that ended, once and for all', () => {
  const short: Flow = { ...flow, packetsIn: FAST_FROM - 1, id: 2 };
  const asked: [number, boolean][] = [];
  const fast: FastPath = {
    ...NO_FAST_PATH,
    add: (flow, isOver) => (asked.push([flow.id, isOver]), { ...flow, bytesIn: flow.bytesIn + 1 }),
  };
  const conntrack = {
    scan: (take: Parameters<Conntrack['scan']>[0]) => take({} as never, () => flow),
    ended: (take: (flow: Flow) => void) => ([flow, short].forEach(take), { isAll: true, lost: false }),
  } as unknown as Conntrack;
  const beside = besideFastPath(conntrack, () => fast);
  const seen: number[] = [];
  beside.scan((_, whole) => void seen.push(whole()?.bytesIn ?? NaN));
  beside.ended(({ bytesIn }) => void seen.push(bytesIn));
  assert.deepEqual(seen, [1001, 1001, 1000]);
  assert.deepEqual(asked, [
    [1, false],
    [1, true],
  ]);
});

test('cutting connections takes them off the fast path', () => {
  let forgotten = 0;
  const fast = { ...NO_FAST_PATH, forget: () => void (forgotten += 1) };
  const beside = besideFastPath({ end() {} } as unknown as Conntrack, () => fast);
  beside.end([]);
  assert.equal(forgotten, 0);
  beside.end([flow]);
  assert.equal(forgotten, 1);
});

test('a key is a tuple as packets have it', () => {
  const hex = (key: Uint8Array | undefined): string => Buffer.from(key ?? []).toString('hex');
  const v4 = `06040000c6336407${'0'.repeat(24)}c0000201${'0'.repeat(24)}9c4001bb`;
  assert.equal(hex(keyOf(flow, flow.original)), v4);
  const six = { source: end('2001:db8::7', 1), destination: end('fd00::9', 65_535) };
  const v6 = `1106000020010db8${'0'.repeat(20)}0007fd00${'0'.repeat(24)}00090001ffff`;
  assert.equal(hex(keyOf({ family: 6, protocol: 17 }, six)), v6);
  assert.equal(keyOf(flow, { ...six, source: end('nonsense', 1) }), undefined);
});

test('every total of an index says that it is', () => {
  const totals = totalsOf(321).map(readTotal);
  assert.equal(new Set(totalsOf(321)).size, 16);
  assert.ok(totals.every(({ index }) => index === 321));
  const kinds = new Set(totals.map(({ isOriginal, isV6, protocol }) => `${isOriginal} ${isV6} ${protocol}`));
  assert.equal(kinds.size, 8);
});
