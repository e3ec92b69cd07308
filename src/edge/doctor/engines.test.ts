import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelEngineState } from '../../engines/kernel/doctor.ts';
import type { EngineSetting } from '../../engines/registry.ts';
import type { UringFacts } from '../../engines/uring/engine.ts';
import { kernelEngineFindings } from './kernel-engine.ts';
import { limitFinding } from './limits.ts';
import { uringFindings } from './uring.ts';

const on = (name: string) => ({ name, why: 'it is needed', value: '1' });
interface KernelCase extends KernelEngineState {
  readonly engine: EngineSetting;
  readonly entries: readonly string[];
}
const KERNEL: KernelCase = {
  engine: 'auto',
  entries: ['192.0.2.1'],
  why: undefined,
  switches: [on('net.ipv4.ip_forward'), on('net.netfilter.nf_conntrack_acct')],
  fastPath: '',
  connections: { most: 262_144, now: 12, buckets: 262_144 },
};
const off = { ...on('net.ipv4.ip_forward'), value: '0' };
const off6 = { ...on('net.ipv6.conf.all.forwarding'), value: '0', isOperators: true };

const kernel: readonly [what: string, Partial<KernelCase>, about: string, state: string, says: RegExp][] = [
  ['all is there', {}, 'kernel engine', 'ok', /CAP_NET_ADMIN is there/],
  ['a switch is on', {}, 'nf_conntrack_acct', 'ok', /^1, /],
  ['no capability', { why: 'it needs CAP_NET_ADMIN' }, 'kernel engine', 'warn', /needs CAP_NET_ADMIN.*Only if/],
  ['not asked for', { engine: 'uring', why: 'x' }, 'kernel engine', 'ok', /--engine uring/],
  ['loopback only', { entries: ['127.0.0.1', '::1'], switches: [off] }, 'kernel engine', 'ok', /leaves loopback/],
  [
    'auto sets nothing',
    { switches: [off] },
    off.name,
    'warn',
    /0, must be 1: it is needed.*sysctl -w net\.ipv4\.ip_forward=1/,
  ],
  ['by name it sets it', { engine: 'kernel', switches: [off] }, off.name, 'ok', /^0; EdgeFour sets it to 1/],
  ['but for IPv6', { engine: 'kernel', switches: [off6] }, off6.name, 'warn', /=1\. EdgeFour does not set it/],
  ['no such switch', { switches: [{ ...off, value: undefined }] }, off.name, 'warn', /^not there, must be 1/],
  ['the fast path', {}, 'fast path', 'ok', /^established connections/],
  ['no fast path', { fastPath: 'EPERM' }, 'fast path', 'warn', /^EPERM Without it/],
  ['an optional switch', { switches: [{ ...off, isOptional: true }] }, off.name, 'warn', /^0, should be 1/],
  ['room', {}, 'nf_conntrack_max', 'ok', /^12 connections of 262144/],
  ['full', { connections: { most: 100, now: 76, buckets: 100 } }, 'nf_conntrack_max', 'warn', /76 .* of 100 .*max=400/],
  ['long lists', { connections: { most: 1000, now: 0, buckets: 100 } }, 'nf_conntrack_buckets', 'warn', /buckets=500/],
];
for (const [what, facts, about, state, says] of kernel)
  test(`kernel engine: ${what}`, () => {
    const { engine, entries, ...found } = { ...KERNEL, ...facts };
    const finding = kernelEngineFindings(found, engine, entries).find((one) => one.about === about);
    assert.equal(finding?.state, state);
    assert.match(`${finding?.text} ${finding?.fix ?? ''}`, says);
  });

test('kernel engine: where the system does not say how many connections it has room for, nothing is said', () => {
  const found = kernelEngineFindings(
    { ...KERNEL, connections: { most: NaN, now: NaN, buckets: NaN } },
    'auto',
    KERNEL.entries,
  );
  assert.ok(!found.some(({ about }) => about.startsWith('nf_conntrack_max')));
});

test('limits that the kernel takes, and one that it does not', () => {
  const all = limitFinding({ rates: '', 'SYN proxy': '' });
  assert.deepEqual([all.state, all.text], ['ok', 'rates, SYN proxy can be had']);
  const less = limitFinding({ rates: '', 'SYN proxy': 'No such file' });
  assert.equal(less.state, 'warn');
  assert.match(`${less.text} ${less.fix}`, /^SYN proxy: No such file.*unlimited/);
});

const URING: UringFacts = {
  why: undefined,
  workers: 2,
  share: { descriptors: 9000, slots: 4500 },
  limit: 20_000,
  locked: 2 * 720 * 1024,
  perPort: undefined,
};
const uring: readonly [what: string, Partial<UringFacts>, about: string, state: string, says: RegExp][] = [
  ['works', {}, 'uring engine', 'ok', /1440 KiB/],
  [
    'capacity',
    {},
    'uring capacity',
    'ok',
    /^2 workers, each up to 4500 TCP .* 9000 UDP sessions \(of 20000 open files\)/,
  ],
  ['few', { share: { descriptors: 384, slots: 192 }, limit: 1024 }, 'uring capacity', 'warn', /192 TCP.*LimitNOFILE/],
  ['no limit', { limit: Infinity }, 'uring capacity', 'ok', /no limit of open files/],
  ['not here', { why: 'io_uring is switched off' }, 'uring engine', 'warn', /switched off.*node engine/],
  ['ranges', {}, 'wide port ranges', 'ok', /^of TCP: 2 sockets .* each entry address, behind eBPF sk_lookup/],
  ['ranges without', { perPort: 'EPERM' }, 'wide port ranges', 'warn', /^a socket per port: EPERM.*Only if.*CAP_BPF/],
];
for (const [what, facts, about, state, says] of uring)
  test(`uring engine: ${what}`, () => {
    const found = uringFindings({ ...URING, ...facts }).find((finding) => finding.about === about);
    assert.equal(found?.state, state);
    assert.match(`${found?.text} ${found?.fix ?? ''}`, says);
  });
