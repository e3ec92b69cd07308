/**
 * Reads and sets the switches of the network namespace that translation needs. It sets none unless the operator has asked for
 * this engine by name: they change more of a machine than what EdgeFour forwards.
 */
import { readFileSync, writeFileSync } from 'node:fs';

export interface Switch {
  readonly name: string;
  readonly why: string;
}

export const FORWARD = 'net.ipv4.ip_forward';
/** The operator's alone: switched on, a machine stops to learn its own routes from routers, and may lose its way out. */
export const FORWARD6 = 'net.ipv6.conf.all.forwarding';

/** All must be 1. */
export const SWITCHES: readonly Switch[] = [
  { name: FORWARD, why: 'without it no packet is passed on' },
  { name: 'net.netfilter.nf_conntrack_acct', why: 'without it connection records have no bytes' },
  { name: 'net.netfilter.nf_conntrack_timestamp', why: 'without it connection records have no beginning' },
];

/** The fast path alone needs it. */
export const LIBERAL: Switch = {
  name: 'net.netfilter.nf_conntrack_tcp_be_liberal',
  why: 'without it there is no fast path, because conntrack would drop what comes after packets that it has not seen',
};

export interface Sysctls {
  /** undefined: the kernel has no such switch. */
  read(name: string): string | undefined;
  /** Why it can't be set. */
  set(name: string, value: string): string | undefined;
}

export const systemSysctls: Sysctls = {
  read(name) {
    try {
      return readFileSync(pathOf(name), 'latin1').trim();
    } catch {
      return undefined;
    }
  },
  set(name, value) {
    try {
      writeFileSync(pathOf(name), value);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  },
};

function pathOf(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}

/** Those that are not as they must be. */
export function switchedOff(sysctls: Sysctls): readonly Switch[] {
  return SWITCHES.filter(({ name }) => sysctls.read(name) !== '1');
}

/** Why packets to these entries would not be passed on; loopback needs no forwarding. */
export function notForwarded(entries: readonly string[], sysctls: Sysctls): string | undefined {
  const outside = entries.filter((entry) => entry !== '::1' && !entry.startsWith('127.'));
  const families = new Set(outside.map((entry) => (entry.includes(':') ? FORWARD6 : FORWARD)));
  const off = [...families].find((name) => sysctls.read(name) !== '1');
  if (off === undefined) return undefined;
  const hint = off === FORWARD6 ? ' (and accept_ra=2 on interfaces that learn their routes from routers)' : '';
  return `this machine does not forward: set sysctl ${off}=1${hint}`;
}
