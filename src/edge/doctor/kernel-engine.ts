/**
 * What the kernel engine needs of this machine, as findings: a capability, nftables, the switches of the network namespace,
 * room for connections. Says which switches EdgeFour sets itself. Pure.
 */
import type { KernelEngineState } from '../../engines/kernel/doctor.ts';
import type { EngineSetting } from '../../engines/registry.ts';
import { type Finding, ok, warn } from '../../observe/finding.ts';

/** `entries`: of the settings; the engine leaves those on loopback to the others unless it is asked for by name. */
export function kernelEngineFindings(
  { why, switches, fastPath, connections }: KernelEngineState,
  engine: EngineSetting,
  entries: readonly string[],
): Finding[] {
  if (engine !== 'auto' && engine !== 'kernel') return [ok('kernel engine', `not asked for (--engine ${engine})`)];
  if (why !== undefined) return [warn('kernel engine', why, 'Only if you want that engine or limits.')];
  if (engine === 'auto' && entries.every((entry) => entry === '::1' || entry.startsWith('127.')))
    return [ok('kernel engine', 'it can be had; `auto` leaves loopback entries to the others')];
  return [
    ok('kernel engine', 'CAP_NET_ADMIN is there, and nftables takes its table'),
    ...switches.map((one) => switchFinding(one, engine)),
    fastPathFinding(fastPath),
    ...roomFindings(connections),
  ];
}

function fastPathFinding(why: string): Finding {
  if (why === '') return ok('fast path', 'established connections can go past routing and conntrack');
  return warn('fast path', why, 'Without it packets take the long way through the kernel, which costs more.');
}

function switchFinding(
  { name, why, value, isOperators, isOptional }: KernelEngineState['switches'][number],
  engine: EngineSetting,
) {
  const about = name.replace('net.netfilter.', '');
  if (value === '1') return ok(about, '1, as the kernel engine needs it');
  const now = value ?? 'not there';
  if (engine === 'kernel' && isOperators !== true)
    return ok(about, `${now}; EdgeFour sets it to 1 in its network namespace when it starts`);
  const bySelf = isOperators === true ? 'EdgeFour does not set it.' : 'With --engine kernel EdgeFour sets it itself.';
  const how = isOptional === true ? 'should' : 'must';
  return warn(about, `${now}, ${how} be 1: ${why}`, `sysctl -w ${name}=1. ${bySelf}`);
}

/** limit: fuller than this, a burst may find it full, and then the system drops new connections. */
const FULL = 0.75;
/** limit: entries per list of the table; each look-up walks half of one. */
const LONG = 4;

function roomFindings({ most, now, buckets }: KernelEngineState['connections']): Finding[] {
  if (!(most > 0)) return [];
  const text = `${now} connections of ${most} that the system can know`;
  const room =
    now < most * FULL
      ? ok('nf_conntrack_max', text)
      : warn(
          'nf_conntrack_max',
          text,
          `sysctl -w net.netfilter.nf_conntrack_max=${most * 4}. Beyond it new ones are dropped.`,
        );
  if (!(most > buckets * LONG)) return [room];
  const crowd = `${buckets} lists for up to ${most} connections: look-ups get slow as it fills`;
  return [room, warn('nf_conntrack_buckets', crowd, `sysctl -w net.netfilter.nf_conntrack_buckets=${most / 2}.`)];
}
