import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dialPorts, parsePortSpans } from '../../linux/dial-ports.ts';
import { MOST_PORT_REFUSALS } from './behaviour.ts';
import { allowPort, sourcePortMemory, SourcePorts } from './source-ports.ts';

const SYSTEM = {
  ip_local_port_range: '32768\t60999\n',
  ip_local_reserved_ports: '20000,30000-30009\n',
  ip_unprivileged_port_start: '1024\n',
};
const portsOf = (may: Uint8Array): number[] => [...may.keys()].filter((port) => may[port] === 1);

test("the system's own range, what is reserved and what needs a capability are left alone", () => {
  const spans = parsePortSpans('1000-1030,19999-20001,29998-30011,32760-33000,60990-61001') ?? [];
  assert.deepEqual(
    portsOf(dialPorts(spans, SYSTEM)),
    [
      1024, 1025, 1026, 1027, 1028, 1029, 1030, 19999, 20001, 29998, 29999, 30010, 30011, 32760, 32761, 32762, 32763,
      32764, 32765, 32766, 32767, 61000, 61001,
    ],
  );
  assert.equal(portsOf(dialPorts(parsePortSpans('10240-32767,61000-65535') ?? [], SYSTEM)).length, 27_064 - 11);
  // Where the system does not say what it hands out, everything may be its own.
  assert.deepEqual(portsOf(dialPorts(spans, { ...SYSTEM, ip_local_port_range: '' })), []);
  for (const bad of ['', '0-5', '5-4', '70000', '1-2-3', 'x', '80,']) assert.equal(parsePortSpans(bad), undefined, bad);
});

const memoryOf = (ports: readonly number[], first = 0): SharedArrayBuffer => {
  const may = new Uint8Array(65_536);
  for (const port of ports) may[port] = 1;
  return sourcePortMemory(may, () => first);
};

test('towards a destination every port comes once before one comes again, for all threads together', () => {
  const ports = [1024, 1025, 1055, 1056, 1087, 1088, 32_767, 61_000, 65_535];
  const memory = memoryOf(ports, 2000);
  const threads = [new SourcePorts(memory), new SourcePorts(memory)];
  for (let lap = 0; lap < 3; lap++) {
    const seen = ports.map((_, i) => threads[i % 2]?.next(7, 0) ?? 0);
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      ports,
    );
  }
  // Another destination has a turn of its own.
  assert.equal(threads[0]?.next(8, 0), 32_767);
});

test('a refused port is passed over, then more and more of its neighbours; at last the system chooses', () => {
  const sources = new SourcePorts(memoryOf(Array.from({ length: 60_000 }, (_, i) => 1024 + i)));
  const tries = Array.from({ length: MOST_PORT_REFUSALS + 1 }, (_, refusals) => sources.next(1, refusals));
  assert.deepEqual(
    tries.slice(1, -1).map((port, i) => port - (tries[i] ?? 0)),
    [1, 64, 128, 256, 512, 1024, 2048],
  );
  assert.equal(tries.at(-1), 0);
});

test('ports that a rule takes are not dialled from, and are again when it goes; where there is none, none is found', () => {
  const memory = memoryOf([5000, 6000]);
  const sources = new SourcePorts(memory);
  allowPort(memory, 5000, false);
  assert.deepEqual([sources.next(1, 0), sources.next(1, 0)], [6000, 6000]);
  allowPort(memory, 6000, false);
  assert.equal(sources.next(1, 0), 0);
  allowPort(memory, 5000, true);
  assert.equal(sources.next(1, 0), 5000);
});

test('the memory is 24 KB, and each turn begins at a port that is drawn', () => {
  const drawn: number[] = [];
  const memory = sourcePortMemory(new Uint8Array(65_536).fill(1), (below) => drawn.push(below));
  assert.equal(memory.byteLength, 24_576);
  assert.deepEqual([drawn.length, new Set(drawn)], [4_096, new Set([65_536])]);
  // Destination 0 has the first place: the first draw was 1.
  assert.equal(new SourcePorts(memory).next(0, 0), 2);
});
