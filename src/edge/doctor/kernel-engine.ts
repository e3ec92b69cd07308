/**
 * What the kernel engine and the limits need of this machine: a capability, nftables, the switches of the network namespace,
 * room for connections. Says which switches EdgeFour sets itself. Pure but for kernelEngineFacts; called by the command.
 */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import type { EngineSetting } from '../../engines/registry.ts';
import { type Finding, ok, warn } from '../../observe/finding.ts';

export interface KernelEngineFacts {
  readonly engine: EngineSetting;
  /** Why it can't be, whatever the switches say. */
  readonly why: string | undefined;
  /** Every entry is one. */
  readonly isLoopback: boolean;
  /** That must be 1, and why; `isOperators`: EdgeFour never sets it. */
  readonly switches: readonly {
    readonly name: string;
    readonly why: string;
    readonly value: string | undefined;
    readonly isOperators?: boolean;
    /** The engine serves without it. */
    readonly isOptional?: boolean;
  }[];
  /** Why its fast path can't be had, whatever the switches say; '' where it can. */
  readonly fastPath: string;
  /** Of connections the system can know, knows, and has lists for; NaN where it does not say. */
  readonly connections: { readonly most: number; readonly now: number; readonly buckets: number };
  /** What limits are made of → why the kernel does not take it, '' where it does. */
  readonly limits: Readonly<Record<string, string>>;
}

export async function kernelEngineFacts(engine: EngineSetting, entries: readonly string[]): Promise<KernelEngineFacts> {
  const [{ systemProbe }, { whyUnavailable }, { FORWARD6, LIBERAL, SWITCHES, systemSysctls: sysctls }] =
    await Promise.all([
      import('../../engines/kernel/create.ts'),
      import('../../engines/kernel/probe.ts'),
      import('../../engines/kernel/sysctl.ts'),
    ]);
  const why = await whyUnavailable(systemProbe(), true);
  const learning = 'without it no IPv6 packet is passed on; set accept_ra=2 too where routes come from routers';
  const v6 = entries.some((entry) => entry.includes(':')) ? [{ name: FORWARD6, why: learning, isOperators: true }] : [];
  const number = (name: string): number => Number(sysctls.read(`net.netfilter.nf_conntrack_${name}`) ?? NaN);
  return {
    engine,
    why,
    isLoopback: entries.every((entry) => entry === '::1' || entry.startsWith('127.')),
    switches: [...SWITCHES, { ...LIBERAL, isOptional: true }, ...v6].map((one) => ({
      ...one,
      value: sysctls.read(one.name),
    })),
    fastPath: why === undefined ? await whyNoFastPath() : why,
    connections: { most: number('max'), now: number('count'), buckets: number('buckets') },
    limits: await limitFacts(),
  };
}

/** Loads its programs and lets them go; whether they may be attached, only the version says without doing it. */
async function whyNoFastPath(): Promise<string> {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 6)) return `it needs Linux 6.6, this is ${release()}`;
  const { loadPrograms } = await import('../../engines/kernel/fast-path/programs.ts');
  try {
    loadPrograms().close();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Each kind of limit alone, checked without being made. */
async function limitFacts(): Promise<Record<string, string>> {
  const [{ Book }, { whole }, { runNft }, { isNetAdmin }] = await Promise.all([
    import('../guard/book.ts'),
    import('../guard/script.ts'),
    import('../../linux/nft/nft.ts'),
    import('../../linux/nft/net-admin.ts'),
  ]);
  if (process.platform !== 'linux' || !isNetAdmin(readFileSync('/proc/self/status', 'latin1')))
    return { 'none can be had': 'they need Linux and CAP_NET_ADMIN' };
  const [id, entries, ports] = ['doctor', ['192.0.2.1', '2001:db8::1'], [{ from: 1, to: 1 }]];
  const rule = { id, proxy: id, protocol: 'TCP', entries, ports } as const;
  const kinds = {
    rates: { newPerSecond: 1 },
    'open connections (nft_connlimit)': { concurrent: 1, ruleConcurrent: 1 },
    'SYN proxy (nft_synproxy)': { synProxy: 1 },
  };
  const checked = Object.entries(kinds).map(async ([kind, limits]) => {
    const book = new Book({ rules: () => new Map([[id, { ...rule, limits }]]), records: () => new Map() });
    book.noteAll();
    return [kind, await runNft(whole(book.take(0), new Map(), { owner: id, edition: id }), '-c')] as const;
  });
  return Object.fromEntries(await Promise.all(checked));
}

export function kernelEngineFindings(facts: KernelEngineFacts): Finding[] {
  const { engine, why } = facts;
  const limits = limitFinding(facts.limits);
  if (engine === 'node' || engine === 'uring')
    return [ok('kernel engine', `not asked for (--engine ${engine})`), limits];
  if (why !== undefined) return [warn('kernel engine', why, 'Only if you want that engine or limits.'), limits];
  if (engine === 'auto' && facts.isLoopback)
    return [ok('kernel engine', 'it can be had; `auto` leaves loopback entries to the others'), limits];
  return [
    ok('kernel engine', 'CAP_NET_ADMIN is there, and nftables takes its table'),
    ...facts.switches.map((one) => switchFinding(one, engine)),
    fastPathFinding(facts.fastPath),
    ...roomFindings(facts.connections),
    limits,
  ];
}

function fastPathFinding(why: string): Finding {
  if (why === '') return ok('fast path', 'established connections can go past routing and conntrack');
  return warn('fast path', why, 'Without it packets take the long way through the kernel, which costs more.');
}

function switchFinding(
  { name, why, value, isOperators, isOptional }: KernelEngineFacts['switches'][number],
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

/** limit: fuller than this, a burst may find it full, and then the system drops whoever is new. */
const FULL = 0.75;
/** limit: entries per list of the table; each look-up walks half of one. */
const LONG = 4;

function roomFindings({ most, now, buckets }: KernelEngineFacts['connections']): Finding[] {
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

function limitFinding(limits: KernelEngineFacts['limits']): Finding {
  const missing = Object.entries(limits).filter(([, refusal]) => refusal !== '');
  if (missing.length === 0) return ok('limits', `${Object.keys(limits).join(', ')} can be had`);
  const text = missing.map(([kind, refusal]) => `${kind}: ${refusal}`).join('; ');
  return warn('limits', text, 'Without them rules serve unlimited, and `edgefour status` says so.');
}
