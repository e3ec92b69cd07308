/**
 * What the kernel engine finds on this machine, for `edgefour doctor`: whether it can be had, its switches, its fast path and
 * the room for connections. Changes nothing.
 */
import { release } from 'node:os';
import { systemProbe, whyUnavailable } from './probe.ts';
import { FORWARD6, LIBERAL, type Switch, SWITCHES, systemSysctls as sysctls } from './sysctl.ts';

interface SwitchState extends Switch {
  readonly value: string | undefined;
  /** EdgeFour never sets it. */
  readonly isOperators?: boolean;
  /** The engine serves without it. */
  readonly isOptional?: boolean;
}

export interface KernelEngineState {
  /** Why it can't be, whatever the switches say. */
  readonly why: string | undefined;
  /** That must be 1. */
  readonly switches: readonly SwitchState[];
  /** Why its fast path can't be had, whatever the switches say; '' where it can. */
  readonly fastPath: string;
  /** Of connections the system can know, knows, and has lists for; NaN where it does not say. */
  readonly connections: { readonly most: number; readonly now: number; readonly buckets: number };
}

const LEARNING = 'without it no IPv6 packet is passed on; set accept_ra=2 too where routes come from routers';

export async function kernelEngineState(entries: readonly string[]): Promise<KernelEngineState> {
  const why = await whyUnavailable(systemProbe(), true);
  const hasV6 = entries.some((entry) => entry.includes(':'));
  const v6 = hasV6 ? [{ name: FORWARD6, why: LEARNING, isOperators: true }] : [];
  const number = (name: string): number => Number(sysctls.read(`net.netfilter.nf_conntrack_${name}`) ?? NaN);
  return {
    why,
    switches: [...SWITCHES, { ...LIBERAL, isOptional: true }, ...v6].map((one) => ({
      ...one,
      value: sysctls.read(one.name),
    })),
    fastPath: why ?? (await whyNoFastPath()),
    connections: { most: number('max'), now: number('count'), buckets: number('buckets') },
  };
}

/** Loads its programs and lets them go; whether they may be attached, only the version says without doing it. */
async function whyNoFastPath(): Promise<string> {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 6)) return `it needs Linux 6.6, this is ${release()}`;
  const { loadPrograms } = await import('./fast-path/programs.ts');
  try {
    loadPrograms().close();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
