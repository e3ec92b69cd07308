import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../lib/rng.ts';
import { createCounters } from '../engines/flow/counters.ts';
import { SourcePorts } from '../engines/flow/source-ports.ts';
import { EdgePorts } from './source-ports.ts';

const TEXTS = { ip_local_port_range: '32768 60999', ip_local_reserved_ports: '', ip_unprivileged_port_start: '1024' };
const edgePorts = () => new EdgePorts([{ from: 20_000, to: 20_003 }], seededRng(1), TEXTS);

test('ports that rules listen on are no source ports, however many rules do and however they change', () => {
  const ports = edgePorts();
  const sources = new SourcePorts(ports.memory);
  const seen = (): number[] => [...new Set(Array.from({ length: 8 }, () => sources.next(1, 0)))].sort((a, b) => a - b);
  const rule = (id: string, from: number, to: number, protocol: 'TCP' | 'UDP' = 'TCP') => ({
    id,
    protocol,
    ports: [{ from, to }],
  });
  assert.deepEqual(seen(), [20_000, 20_001, 20_002, 20_003]);
  ports.follow({ put: [rule('a', 1, 20_001), rule('b', 20_001, 20_001), rule('c', 20_003, 20_003, 'UDP')], drop: [] });
  assert.deepEqual(seen(), [20_002, 20_003]);
  ports.follow({ put: [rule('a', 20_003, 40_000)], drop: [] });
  assert.deepEqual(seen(), [20_000, 20_002]);
  ports.follow({ put: [], drop: ['b', 'unknown'] });
  assert.deepEqual(seen(), [20_000, 20_001, 20_002]);
  ports.follow({ put: [], drop: ['a', 'c'] });
  assert.deepEqual(seen(), [20_000, 20_001, 20_002, 20_003]);
});

test('connections without a port are an alarm, for a minute after the last', () => {
  const ports = edgePorts();
  const counters = createCounters();
  const heard = (ends: number, now: number): string[] => {
    counters.ends['no-source-port'] = ends;
    ports.note([counters, createCounters()], now);
    return ports.alarms(now);
  };
  assert.deepEqual(heard(0, 0), []);
  assert.match(heard(3, 1000).join(), /for 3 connections; .*--source-ports/);
  assert.match(heard(5, 30_000).join(), /for 5 connections/);
  assert.match(heard(5, 89_000).join(), /for 5 connections/);
  assert.deepEqual(heard(5, 90_000), []);
  assert.match(heard(6, 100_000).join(), /for 1 connections/);
});
