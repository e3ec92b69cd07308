import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { egressRule } from '../../lib/net/egress.ts';
import type { LoadBalancer } from '../load-balancer/load-balancer.ts';
import type { OriginGroup, OriginRecord } from '../origin-group/origin-group.ts';
import { originFault, type OriginWorld } from './origins.ts';

function group(
  id: string,
  hosts: readonly (string | OriginRecord)[],
  type: OriginGroup['type'] = 'GENERAL',
): OriginGroup {
  const records = hosts.map((host) =>
    typeof host === 'string' ? { id: host, host, type: 'IP_DOMAIN' as const } : host,
  );
  return { id, zone: 'z', name: id, type, hostHeader: '', records, changed: 1, createdAt: 0, updatedAt: 0 };
}

function balancer(id: string, type: LoadBalancer['type'], ...groups: string[]): LoadBalancer {
  const ordered = groups.map((group, priority) => ({ priority, group }));
  return { id, zone: 'z', name: id, type, groups: ordered, failover: 'OtherOriginGroup', changed: 1 };
}

const GROUPS = [
  group('og-ips', ['10.0.0.1', '::1']),
  group('og-name', ['a.test']),
  group('og-names', ['a.test', 'b.test']),
  group('og-mixed', ['10.0.0.1', 'a.test']),
  group('og-denied', ['10.0.0.1', '169.254.169.254']),
  group('og-empty', []),
  group('og-http', ['10.0.0.1'], 'HTTP'),
  group('og-cos', [{ id: 'r', host: 'bucket.test', type: 'COS' }]),
];
const BALANCERS = [
  balancer('lb-good', 'GENERAL', 'og-ips', 'og-name'),
  balancer('lb-http', 'HTTP', 'og-ips'),
  balancer('lb-mixed', 'GENERAL', 'og-ips', 'og-mixed'),
  balancer('lb-lost', 'GENERAL', 'og-ips', 'og-gone'),
];
const WORLD: OriginWorld = {
  egress: egressRule(['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254']),
  group: (id) => GROUPS.find((group) => group.id === id),
  loadBalancer: (id) => BALANCERS.find((balancer) => balancer.id === id),
};
const VALUE = 'InvalidParameter.InvalidOriginValue';
const IP = 'InvalidParameter.InvalidOriginIp';

const TABLE: readonly [type: 'IP_DOMAIN' | 'ORIGIN_GROUP' | 'LB', value: string[], code: string | undefined][] = [
  ['IP_DOMAIN', ['10.0.0.1'], undefined],
  ['IP_DOMAIN', ['127.0.0.1', '8.8.8.8', '2001:db8::1'], undefined],
  ['IP_DOMAIN', ['a.test'], undefined],
  ['IP_DOMAIN', ['postgres'], undefined],
  ['IP_DOMAIN', ['A.Test.'], undefined],
  ['IP_DOMAIN', [], VALUE],
  ['IP_DOMAIN', ['a.test', 'b.test'], VALUE],
  ['IP_DOMAIN', ['10.0.0.1', 'a.test'], VALUE],
  ['IP_DOMAIN', ['10.0.0.1', '10.0.0.1'], VALUE],
  ['IP_DOMAIN', ['::1', '0:0::1'], VALUE],
  ['IP_DOMAIN', ['10.0.0.1:80'], VALUE],
  // Spellings: refused as the address where that is refused, else with the usual spelling as the advice.
  ['IP_DOMAIN', ['0x7f000001'], VALUE],
  ['IP_DOMAIN', ['127.1'], VALUE],
  ['IP_DOMAIN', ['127.0.0.1.'], VALUE],
  ['IP_DOMAIN', ['[2001:db8::1]'], VALUE],
  ['IP_DOMAIN', ['2001:db8::1%eth0'], VALUE],
  ['IP_DOMAIN', ['a.0x7f'], VALUE],
  ['IP_DOMAIN', ['0xa9fea9fe'], IP],
  ['IP_DOMAIN', ['0xa9.0376.0xa9fe'], IP],
  ['IP_DOMAIN', ['2852039166'], IP],
  ['IP_DOMAIN', ['fe80::1%eth0'], IP],
  ['IP_DOMAIN', ['[fd00:ec2::254]'], IP],
  ['IP_DOMAIN', ['64:ff9b::a9fe:a9fe'], IP],
  ['IP_DOMAIN', ['::169.254.169.254'], IP],
  ['IP_DOMAIN', ['2002:a9fe:a9fe::1'], IP],
  ['IP_DOMAIN', ['0'], IP],
  ['IP_DOMAIN', ['[::1]'], VALUE],
  ['IP_DOMAIN', ['010.0.0.1'], VALUE],
  ['IP_DOMAIN', ['http://a.test'], VALUE],
  ['IP_DOMAIN', [''], VALUE],
  ['IP_DOMAIN', ['169.254.169.254'], IP],
  ['IP_DOMAIN', ['8.8.8.8', '::ffff:169.254.1.1'], IP],
  ['IP_DOMAIN', ['fe80::1'], IP],
  ['IP_DOMAIN', ['0.0.0.0'], IP],
  ['IP_DOMAIN', ['::'], IP],
  ['IP_DOMAIN', ['224.0.0.1'], IP],
  ['IP_DOMAIN', ['ff02::1'], IP],
  ['ORIGIN_GROUP', ['og-ips'], undefined],
  ['ORIGIN_GROUP', ['og-name'], undefined],
  ['ORIGIN_GROUP', ['og-ips', 'og-name'], VALUE],
  ['ORIGIN_GROUP', ['og-gone'], VALUE],
  ['ORIGIN_GROUP', ['og-names'], VALUE],
  ['ORIGIN_GROUP', ['og-mixed'], VALUE],
  ['ORIGIN_GROUP', ['og-denied'], IP],
  ['ORIGIN_GROUP', ['og-empty'], VALUE],
  ['ORIGIN_GROUP', ['og-http'], VALUE],
  ['ORIGIN_GROUP', ['og-cos'], VALUE],
  ['LB', ['lb-good'], undefined],
  ['LB', ['lb-gone'], VALUE],
  ['LB', ['lb-good', 'lb-good'], VALUE],
  ['LB', ['lb-http'], VALUE],
  ['LB', ['lb-mixed'], VALUE],
  ['LB', ['lb-lost'], VALUE],
];
test('what can be an origin', () => {
  for (const [originType, originValue, code] of TABLE) {
    const fault = originFault({ originType, originValue }, WORLD, 'L4ProxyRules.3');
    assert.equal(fault?.code, code, `${originType} ${originValue.join()}`);
    if (fault) assert.match(fault.detail ?? '', /^L4ProxyRules\.3\.OriginValue: .*\.$/);
  }
});

test('any texts get a verdict', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.domain()), { maxLength: 5 }), (originValue) => {
      const fault = originFault({ originType: 'IP_DOMAIN', originValue }, WORLD, 'x');
      assert.ok(fault === undefined || fault.code === VALUE || fault.code === IP);
    }),
  );
});
