import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';
import { descriptorLack, memoryLack, refusal, whyUnavailable } from './probe.ts';

test('each refusal says in one line what to change', () => {
  const cases: [error: string, disabled: string, says: RegExp][] = [
    ['EPERM', '2', /switched off: set sysctl kernel\.io_uring_disabled=0/],
    ['EPERM', '1', /privileged processes only: .*io_uring_disabled=0/],
    ['EPERM', '0', /seccomp profile: allow io_uring_setup/],
    ['EPERM', '', /seccomp profile/],
    ['EACCES', '0', /seccomp profile/],
    ['ENOSYS', '', /built without io_uring \(CONFIG_IO_URING\)/],
    ['ENOMEM', '0', /locked memory \(ulimit -l\)/],
    ['EFAULT', '0', /io_uring_setup failed: EFAULT/],
  ];
  for (const [error, disabled, says] of cases) {
    assert.match(refusal(error, disabled), says);
    assert.ok(!refusal(error, disabled).includes('\n'));
  }
});

test('rings need locked memory, unless the process may lock what it likes', () => {
  const limits = (most: string): string =>
    `Max locked memory         ${most}              ${most}              bytes     \n`;
  const [plain, mayLock] = ['CapEff:\t0000000000000000\n', 'CapEff:\t0000000000004000\n'];
  assert.equal(memoryLack(plain, limits('8388608'), 2), undefined);
  assert.match(memoryLack(plain, limits('8388608'), 16) ?? '', /11520 KiB of locked memory and 8192 KiB may be had/);
  assert.equal(memoryLack(mayLock, limits('65536'), 16), undefined);
  assert.equal(memoryLack(plain, limits('unlimited'), 16), undefined);
  assert.equal(memoryLack('', '', 16), undefined);
});

test('too few open files for the workers: the engine is not chosen, and says what to raise', async (t) => {
  assert.match(descriptorLack(256, 2) ?? '', /256 open files, which leaves 0 for each of 2 workers/);
  assert.match(descriptorLack(1_024, 64) ?? '', /leaves 12 for each of 64/);
  assert.equal(descriptorLack(1_024, 8), undefined);
  assert.equal(descriptorLack(Infinity, 512), undefined);
  if ((await whyUnavailable()) !== undefined) return t.skip('io_uring is not to be had here');
  const ask = `import(${JSON.stringify(new URL('probe.ts', import.meta.url).href)}).then(async (probe) => console.log(await probe.whyUnavailable(1)))`;
  const shell = 'ulimit -n 256 && exec "$@"';
  const { stdout } = spawnSync('/bin/sh', ['-c', shell, 'sh', process.execPath, '-e', ask], { encoding: 'utf8' });
  assert.match(stdout, /the process may have 256 open files/);
});
