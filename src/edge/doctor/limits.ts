/** Whether the kernel takes what limits of connections are made of: each kind alone, checked without being made. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { type Finding, ok, warn } from '../../observe/finding.ts';

/** A kind of limit → why the kernel does not take it, '' where it does. */
type LimitFacts = Readonly<Record<string, string>>;

export async function limitFacts(): Promise<LimitFacts> {
  const [{ Contents }, { whole }, { runNft }, { isNetAdmin }] = await Promise.all([
    import('../guard/contents/contents.ts'),
    import('../guard/table/script.ts'),
    import('../../linux/nft/nft.ts'),
    import('../../linux/nft/net-admin.ts'),
  ]);
  if (process.platform !== 'linux' || !isNetAdmin(readFileSync('/proc/self/status', 'latin1')))
    return { 'none can be had': 'they need Linux and CAP_NET_ADMIN' };
  const id = 'doctor';
  const entries = ['192.0.2.1', '2001:db8::1'];
  const rule = { id, proxy: id, protocol: 'TCP', entries, ports: [{ from: 1, to: 1 }] } as const;
  const kinds = {
    rates: { newPerSecond: 1 },
    'open connections (nft_connlimit)': { concurrent: 1, ruleConcurrent: 1 },
    'SYN proxy (nft_synproxy)': { synProxy: 1 },
  };
  const checked = Object.entries(kinds).map(async ([kind, limits]) => {
    const contents = new Contents({ rules: () => new Map([[id, { ...rule, limits }]]), records: () => new Map() });
    contents.noteAll();
    return [kind, await runNft(whole(contents.take(0), new Map(), { owner: id, edition: id }), '-c')] as const;
  });
  return Object.fromEntries(await Promise.all(checked));
}

export function limitFinding(limits: LimitFacts): Finding {
  const missing = Object.entries(limits).filter(([, refusal]) => refusal !== '');
  if (missing.length === 0) return ok('limits', `${Object.keys(limits).join(', ')} can be had`);
  const text = missing.map(([kind, refusal]) => `${kind}: ${refusal}`).join('; ');
  return warn('limits', text, 'Without them rules serve unlimited, and `edgefour status` says so.');
}
