/**
 * Two network namespaces for the kernel engine: `edge`, where it works, and `out`, where clients and origins live and
 * where the calling thread goes. All traffic between them passes the edge, as from and to other machines.
 *
 *     out   10.64.0.0/12, fd64::/16   10.127.0.1, fd7f::1 ── 10.127.0.2, fd7f::2   10.96.0.0/12, fd96::/16   edge
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setns } from '../../src/linux/ffi/libc.ts';

const CLONE_NEWNET = 0x4000_0000;

export interface Namespaces extends Disposable {
  readonly edge: string;
  readonly out: string;
  /** Addresses of clients and origins, and of entries; a new one each time. */
  address(): string;
  entry(): string;
  entry6(): string;
  address6(): string;
  /** Runs a program in the edge's namespace; gives what it says. */
  inEdge(program: string, ...args: string[]): string;
}

/** Why there can be none; undefined: there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    execFileSync('nft', ['--version']);
    execFileSync('ip', ['-V']);
  } catch {
    return 'needs nft and ip (packages nftables and iproute2)';
  }
  return undefined;
}

/** The calling thread, and the threads and processes it starts from then on, are in this namespace. */
export function enter(namespace: string): void {
  const fd = openSync(`/run/netns/${namespace}`, 'r');
  const entered = setns(fd, CLONE_NEWNET);
  closeSync(fd);
  if (entered < 0) throw new Error(`cannot enter ${namespace}: ${entered}`);
}

export function makeNamespaces(): Namespaces {
  const [edge, out] = [`ef${process.pid}e`, `ef${process.pid}o`];
  let used = 0;
  const next = (): number => ++used;
  const part = (n: number): string => `${Math.floor(n / 250)}.${1 + (n % 250)}`;
  const sh = (lines: string): void => void execFileSync('/bin/sh', ['-ec', lines], { stdio: 'pipe' });
  const remove = (): void => sh(`ip netns del ${edge} || true; ip netns del ${out} || true`);
  remove();
  sh(`
    ip netns add ${edge}; ip netns add ${out}
    ip link add e0 netns ${edge} type veth peer name o0 netns ${out}
    ip -n ${edge} addr add 10.127.0.2/30 dev e0; ip -n ${edge} addr add fd7f::2/64 dev e0 nodad
    ip -n ${out} addr add 10.127.0.1/30 dev o0; ip -n ${out} addr add fd7f::1/64 dev o0 nodad
    for n in ${edge} ${out}; do ip -n $n link set lo up; done
    ip -n ${edge} link set e0 up; ip -n ${out} link set o0 up
    ip -n ${edge} route add local 10.96.0.0/12 dev lo; ip -n ${edge} route add local fd96::/16 dev lo
    ip -n ${out} route add local 10.64.0.0/12 dev lo; ip -n ${out} route add local fd64::/16 dev lo
    ip -n ${edge} route add 10.64.0.0/12 via 10.127.0.1; ip -n ${edge} route add fd64::/16 via fd7f::1
    ip -n ${out} route add 10.96.0.0/12 via 10.127.0.2; ip -n ${out} route add fd96::/16 via fd7f::2
    ip netns exec ${edge} sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv6.ip_nonlocal_bind=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.e0.send_redirects=0
    ip netns exec ${out} sysctl -qw net.ipv4.ip_nonlocal_bind=1 net.ipv6.ip_nonlocal_bind=1`);
  return {
    edge,
    out,
    address: () => `10.64.${part(next())}`,
    entry: () => `10.96.${part(next())}`,
    address6: () => `fd64::${next().toString(16)}`,
    entry6: () => `fd96::${next().toString(16)}`,
    inEdge: (program, ...args) => execFileSync('ip', ['netns', 'exec', edge, program, ...args], { encoding: 'utf8' }),
    [Symbol.dispose]: remove,
  };
}
