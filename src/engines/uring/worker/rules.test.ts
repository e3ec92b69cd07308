import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_CARE } from '../../../domain/l4-rule/options.ts';
import { TargetStates } from '../../flow/target-states.ts';
import type { RuleSpec } from './messages.ts';
import { newRow } from './counters.ts';
import { Rules } from './rules.ts';

const range = (from: number, to: number): RuleSpec['range'] => ({
  ports: [{ from, to }],
  originPorts: { from: 9000, to: 9000 + to - from },
});

function spec(change: Partial<RuleSpec>): RuleSpec {
  return {
    index: 0,
    protocol: 'TCP',
    mode: 'OFF',
    targets: [],
    turns: [],
    originPorts: { from: 9000, to: 9000 },
    persistSeconds: 0,
    failover: 'origin',
    options: {
      connectTimeoutMs: 1,
      idleSeconds: 1,
      drain: { how: 'keep', seconds: 0 },
      recordOneIn: 0,
      ...DEFAULT_CARE,
    },
    entries: [{ fd: 50, address: '192.0.2.1', port: 100, originPort: 9000 }],
    row: newRow().buffer as SharedArrayBuffer,
    position: new SharedArrayBuffer(4),
    persistence: undefined,
    ...change,
  };
}

test('a port behind a socket is one entry as long as the rule has it, whatever changes around it', () => {
  const rules = new Rules(new TargetStates());
  const [socket] = rules.apply(spec({ range: range(100, 199) })).added;
  assert.ok(socket);
  assert.equal(rules.behind(socket, 100), socket);
  const port = rules.behind(socket, 150);
  assert.deepEqual([port.port, port.originPort, port.text, port.closing], [150, 9050, '192.0.2.1', false]);
  assert.equal(rules.behind(socket, 150), port);
  rules.opened(port);
  rules.apply(spec({ range: range(90, 199) }));
  assert.deepEqual([port.originPort, port.closing], [9060, false]);
  rules.apply(spec({ range: range(100, 120) }));
  assert.ok(port.closing);
  assert.equal(rules.successor(port), undefined);
  // What was on its way is led where it was to go; what nobody ever had is led nowhere.
  assert.deepEqual([rules.behind(socket, 160).originPort, rules.behind(socket, 160).closing], [9070, true]);
  assert.equal(rules.behind(socket, 250).originPort, 0);
});

test('a connection follows its port to another socket, of the range or of its own', () => {
  const rules = new Rules(new TargetStates());
  const [socket] = rules.apply(spec({ range: range(100, 199) })).added;
  assert.ok(socket);
  const port = rules.behind(socket, 150);
  const moved = { fd: 51, address: '192.0.2.1', port: 110, originPort: 9000 };
  const { added, gone } = rules.apply(spec({ range: range(110, 160), entries: [moved] }));
  assert.deepEqual(gone, [socket]);
  rules.leave(socket);
  assert.ok(port.closing);
  const next = rules.successor(port);
  assert.deepEqual([next?.fd, next?.port, next?.originPort], [51, 150, 9040]);
  const own = { fd: 52, address: '192.0.2.1', port: 150, originPort: 9000 };
  const [single] = rules.apply(spec({ entries: [moved, own] })).added;
  assert.ok(next?.closing && added[0]?.behind?.size === 0);
  assert.equal(rules.successor(next), single);
});

test('places of entries are used again, once each', () => {
  const rules = new Rules(new TargetStates());
  const [socket] = rules.apply(spec({ range: range(100, 199) })).added;
  assert.ok(socket);
  const ports = [150, 151].map((port) => rules.behind(socket, port));
  ports.slice(0, 1).forEach((port) => rules.opened(port));
  rules.leave(socket);
  rules.closed(socket);
  ports.slice(0, 1).forEach((port) => rules.ended(port));
  const fresh = [200, 201, 202, 203].map((port) => {
    const [entry] = rules.apply(
      spec({ index: port, entries: [{ fd: port, address: '192.0.2.1', port, originPort: 1 }] }),
    ).added;
    return entry?.index;
  });
  assert.equal(new Set(fresh).size, 4);
  assert.deepEqual(
    fresh.slice(0, 3).toSorted((a = 0, b = 0) => a - b),
    [0, 1, 2],
  );
});
