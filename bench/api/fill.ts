/** Fills a world with instances of 10 rules: the records CreateL4Proxy and CreateL4ProxyRules would leave. */
import type { L4Proxy } from '../../src/domain/l4-proxy/l4-proxy.ts';
import type { L4Rule } from '../../src/domain/l4-rule/l4-rule.ts';
import { ROOT_ACCOUNT } from '../../src/domain/zone/seed.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { formatAddress } from '../../src/lib/net/address.ts';
import { silentLog } from '../../src/observe/log.ts';
import { keys } from '../../src/store/records.ts';
import { openStore } from '../../src/store/registry.ts';

const RULES = 10;
const TOGETHER = 200;

export async function fill(path: string, zone: string, instances: number): Promise<void> {
  const store = await openStore(`sqlite:${path}`, { clock: systemClock, log: silentLog });
  for (let from = 0; from < instances; from += TOGETHER) {
    const count = Math.min(TOGETHER, instances - from);
    await Promise.all(
      Array.from({ length: count }, (_, i) => {
        const { proxy, ip } = instance(zone, from + i);
        const claim = { proxies: [{ zone, name: proxy.name }], exclusive: false };
        const changes = [
          { key: keys.proxy(zone, proxy.name), value: proxy },
          { key: keys.proxyPlace(proxy.id), value: { zone, name: proxy.name } },
          { key: keys.address('local', ip), value: claim },
        ];
        return store.commit(changes, []);
      }),
    );
  }
  await store.close();
}

function instance(zone: string, n: number): { proxy: L4Proxy; ip: string } {
  // Names in another order than they are made, as names come.
  const name = `game-${String((n * 7_919) % 1_000_003).padStart(7, '0')}`;
  const ip = formatAddress(Uint8Array.of(127, 1 + (n >> 16), (n >> 8) & 255, n & 255));
  const proxy: L4Proxy = {
    id: `sid-${String(n).padStart(12, '0')}`,
    zone,
    account: ROOT_ACCOUNT,
    name,
    area: 'overseas',
    ipv6: 'off',
    staticIp: 'off',
    accelerateMainland: 'off',
    entries: { local: { v4: ip } },
    want: 'online',
    banned: false,
    rules: Array.from({ length: RULES }, (_, i) => rule(n * RULES + i, 1_000 + i)),
    changed: 0,
    updatedAt: systemClock.now(),
  };
  return { proxy, ip };
}

function rule(n: number, port: number): L4Rule {
  return {
    id: `rule-${String(n).padStart(12, '0')}`,
    protocol: 'TCP',
    portRange: [String(port)],
    originType: 'IP_DOMAIN',
    originValue: ['192.0.2.10', '192.0.2.11'],
    originPortRange: '8080',
    mode: 'PPV2',
    sessionPersist: 'on',
    sessionPersistTime: 3_600,
    tag: 'players',
    want: 'online',
    changed: 0,
  };
}
