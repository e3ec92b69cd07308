import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusal } from './probe.ts';

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
