import assert from 'node:assert/strict';
import { test } from 'node:test';
import { R0, R1, R2, assemble, call, exit, jump, load, map, set, store, when } from '../../../linux/ebpf/asm.ts';
import { isAbandoned, ownCgroupFolder } from './cgroup.ts';
import { toaProgram } from './program.ts';

const hex = (bytes: Uint8Array): string[] =>
  Array.from({ length: bytes.length / 8 }, (_, i) => Buffer.from(bytes.subarray(8 * i, 8 * i + 8)).toString('hex'));

test("each instruction is the kernel's eight bytes; labels become distances", () => {
  const code = assemble([
    set(R0, 1),
    map(R1, 5),
    'again',
    load('double', R2, R1, 184),
    store('word', R1, 24, R2),
    when(R2, '!=', -1, 'end'),
    call(107),
    jump('again'),
    'end',
    exit(),
  ]);
  assert.deepEqual(hex(code), [
    'b700000001000000',
    '1811000005000000',
    '0000000000000000',
    '7912b80000000000',
    '6321180000000000',
    '55020200ffffffff',
    '850000006b000000',
    '0500fbff00000000',
    '9500000000000000',
  ]);
});

test('a label that is missing or twice is an error', () => {
  assert.throws(() => assemble([jump('nowhere')]), /no label nowhere/);
  assert.throws(() => assemble(['a', 'a', exit()]), /label a twice/);
});

test('the program ends in one exit and names its map once', () => {
  const lines = hex(toaProgram(9));
  assert.equal(lines.filter((line) => line.startsWith('95')).length, 1);
  assert.equal(lines.at(-1), '9500000000000000');
  assert.equal(lines.filter((line) => line === '1811000009000000').length, 1);
});

test('the cgroup is found on unified, hybrid and container mounts', () => {
  const unified = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw';
  const hybrid = '40 30 0:37 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw';
  const inside = '40 30 0:37 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw';
  assert.deepEqual(ownCgroupFolder(unified, '0::/system.slice/edgefour.service\n'), {
    folder: '/sys/fs/cgroup/system.slice/edgefour.service',
  });
  assert.deepEqual(ownCgroupFolder(hybrid, '12:cpu:/x\n0::/\n'), { folder: '/sys/fs/cgroup/unified' });
  assert.deepEqual(ownCgroupFolder(inside, '0::/docker/abc/child\n'), { folder: '/sys/fs/cgroup/child' });
  assert.ok('missing' in ownCgroupFolder('', '0::/\n'));
  assert.ok('missing' in ownCgroupFolder(unified, '1:cpu:/\n'));
});

test("a cgroup is abandoned when it is an edge's and that process is gone", () => {
  const lives = (pid: string): boolean => pid === '7';
  assert.deepEqual(
    ['edgefour-toa-7', 'edgefour-toa-8', 'other-8'].map((name) => isAbandoned(name, lives)),
    [false, true, false],
  );
});
