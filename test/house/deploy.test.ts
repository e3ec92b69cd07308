/**
 * The unit allows what the program uses, each option with its reason, and nothing else that it names: held to the list in
 * src/linux/needs.ts, and that to the calls that are bound. What systemd's own groups hold is asked of systemd.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CALLED, CAPABILITIES, SOCKET_FAMILIES, SYSTEM_CALLS } from '../../src/linux/needs.ts';
import { holds } from './holds.ts';
import { product, ROOT } from './tree.ts';

const UNIT = readFileSync(join(ROOT, 'deploy', 'edgefour.service'), 'utf8');
/** Of Node itself and of what it starts: V8, libuv, nft. */
const GROUP = '@system-service';

/** The words that a setting has in the unit; `off`: in its lines that are comments. */
function words(setting: string, off = false): string[] {
  const lines = [...UNIT.matchAll(new RegExp(`^${off ? '#' : ''}${setting}=(.*)$`, 'gm'))];
  return lines.flatMap(([, value = '']) => value.split(' ')).filter((word) => word !== '');
}

type Needs = typeof SYSTEM_CALLS;
const names = (needs: Needs, isOption: boolean): string[] =>
  Object.entries(needs).flatMap(([name, need]) => ((need.isOption ?? false) === isOption ? [name] : []));

/** One list is the other, in any order. */
function same(what: string, has: readonly string[], wanted: readonly string[]): string[] {
  const lacks = wanted.filter((name) => !has.includes(name)).map((name) => `${what} lacks ${name}`);
  return [...lacks, ...has.filter((name) => !wanted.includes(name)).map((name) => `${what} has ${name} for nothing`)];
}

test('every call that is bound is in the list, and the list has no other', () => {
  const bound = product().flatMap(({ code, isTest }) =>
    isTest
      ? []
      : [
          ...[...code.matchAll(/bind\(\s*'[a-z_ ]+?\*?(\w+)\(/g)].map(([, name = '']) => CALLED[name] ?? name),
          ...[...code.matchAll(/\bSYS_(\w+) =/g)].map(([, name = '']) => name.toLowerCase()),
        ],
  );
  holds(
    same(
      'src/linux/needs.ts',
      Object.keys(SYSTEM_CALLS),
      bound.filter((name) => !['', 'syscall'].includes(name)),
    ),
  );
});

for (const setting of ['AmbientCapabilities', 'CapabilityBoundingSet'])
  test(`${setting}: what is needed is on, what an option needs is a comment, and there is no more`, () =>
    holds([
      ...same(setting, words(setting), names(CAPABILITIES, false)),
      ...same(`#${setting}`, words(setting, true), names(CAPABILITIES, true)),
    ]));

test('system calls: those of the rings by name, those of an option as comments', () => {
  const rings = names(SYSTEM_CALLS, false).filter((name) => name.startsWith('io_uring_'));
  // order: denied words come after allowed ones.
  const given = words('SystemCallFilter').filter((word) => !/^~|^@keyring$|^userfaultfd$/.test(word));
  holds([
    ...same('SystemCallFilter', given, [GROUP, ...rings]),
    ...same('#SystemCallFilter', words('SystemCallFilter', true), names(SYSTEM_CALLS, true)),
  ]);
});

test('address families are those in use', () =>
  holds(same('RestrictAddressFamilies', words('RestrictAddressFamilies'), Object.keys(SOCKET_FAMILIES))));

test('a reload is an upgrade by the same program, and systemd hears who is the service after it', () => {
  const [start = ''] = /^ExecStart=(.*)$/m.exec(UNIT)?.slice(1) ?? [];
  holds([
    ...same('ExecReload', words('ExecReload'), [...start.split(' '), '--upgrade', '--background']),
    ...same('NotifyAccess', words('NotifyAccess'), ['all']),
  ]);
});

test('no other part of the unit takes away what an option needs', () => {
  const [delegate, groups] = [words('Delegate', true), words('ProtectControlGroups', true)];
  holds([
    ...same('#Delegate', delegate, ['yes']),
    ...same('#ProtectControlGroups', groups, ['no']),
    ...same('LimitMEMLOCK', words('LimitMEMLOCK'), ['infinity']),
  ]);
});

test('one process that is killed for memory does not end the rest, and memory is not written to disk', () =>
  holds([...same('OOMPolicy', words('OOMPolicy'), ['continue']), ...same('LimitCORE', words('LimitCORE'), ['0'])]));

const asked = spawnSync('systemd-analyze', ['syscall-filter', GROUP], { encoding: 'utf8' });
const unasked = asked.status === 0 ? false : 'systemd-analyze is not here: what its groups hold is not known';
test(`the unit allows every call that it has to (systemd's ${GROUP})`, { skip: unasked }, () => {
  const allowed = new Set([...words('SystemCallFilter'), ...groupOf(GROUP)]);
  holds(names(SYSTEM_CALLS, false).flatMap((name) => (allowed.has(name) ? [] : [`SystemCallFilter forbids ${name}`])));
});

/** With the groups that it names. */
function groupOf(group: string): string[] {
  const { stdout } = spawnSync('systemd-analyze', ['syscall-filter', group], { encoding: 'utf8' });
  const listed = stdout.split('\n').map((line) => line.trim());
  return listed.flatMap((name) => (name.startsWith('@') && name !== group ? groupOf(name) : [name]));
}

const analyze = (...args: readonly string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
const unanalyzed = asked.status === 0 ? false : 'systemd-analyze is not here';

test('systemd takes the unit as it is, and calls it well protected', { skip: unanalyzed }, () => {
  const unit = join(ROOT, 'deploy', 'edgefour.service');
  // Complaints about this machine (a missing program, a socket of its own) are not the unit's.
  const complaints = analyze('verify', '--man=no', unit)
    .stderr.split('\n')
    .filter((line) => line.includes('edgefour.service'));
  holds(complaints.filter((line) => /Unknown|Failed to parse|Invalid|ignoring/i.test(line)));
  const { stdout } = analyze('security', '--offline=true', '--no-pager', unit);
  const exposure = Number(/exposure level for edgefour\.service: ([\d.]+)/.exec(stdout)?.[1]);
  assert.ok(exposure <= 3, `an exposure of ${exposure}`);
});
