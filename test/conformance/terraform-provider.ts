/**
 * Terraform's provider, as far as the resources origin_group, load_balancer, l4_proxy and l4_proxy_rule go: its calls, in its
 * order, with its fields (unset ones as 0 and ""). An empty plan is a state, read back, that has every attribute as it was
 * written. Source: the provider's code, release 1.83.25.
 */
import assert from 'node:assert/strict';
import { keys } from '../../src/store/records.ts';
import { newPlan, newSite, newZone } from '../world/actions.ts';
import { ACCOUNT, type Desk, openDesk, type Reply } from './desk.ts';

export const ZoneId = 'zone-3kq782jghthh';
const PLAN = 'edgeone-000000000001';

export interface Group {
  readonly name: string;
  readonly records: readonly { readonly record: string; readonly weight?: number }[];
}
export interface Balancer {
  readonly name: string;
  readonly origin_groups: readonly { readonly priority: string; readonly origin_group_id: string }[];
  readonly health_checker?: Readonly<Record<string, unknown>>;
  readonly failover_policy?: string;
}
interface Rule {
  readonly origin_value: string;
  readonly port: string;
}

/** The provider, as far as these resources go. Edges are as far as the world whenever it polls again. */
export async function provider() {
  let applied = 0;
  const desk: Desk = await openDesk({
    around: {
      facts: {
        acks: { applied: () => applied, failures: () => [], placements: () => [], edges: () => [] },
        counters: { dropped: () => ({}) },
        health: { reported: () => [] },
        origins: { find: () => [] },
      },
    },
  });
  await desk.store.commit(
    [
      { key: keys.plan(PLAN), value: { ...newPlan(PLAN), account: ACCOUNT, expiresAt: 8_640_000_000_000 } },
      { key: keys.zone(ZoneId), value: { ...newZone(ZoneId, PLAN), account: ACCOUNT } },
      { key: keys.site('here'), value: newSite('here', ['127.44.0.0/24']) },
    ],
    [],
  );

  async function call(action: string, request: object): Promise<Reply> {
    const headers = { 'x-tc-requestclient': 'Terraform-latest' };
    const reply = await desk.call(action, request, undefined, { headers });
    assert.equal(reply.Error, undefined, `${action}: ${reply.Error?.Code} ends an apply`);
    return reply;
  }

  /** Asks until it is `target`; any word but `pending` in between is an error of the provider's. */
  async function wait(ask: () => Promise<unknown>, target: string, pending?: string): Promise<void> {
    for (let polls = 0; polls < 3; polls++) {
      const word = await ask();
      if (word === target) return;
      if (pending !== undefined) assert.equal(word, pending, 'the provider knows no other word');
      applied = await desk.store.read((view) => view.revision);
    }
    assert.fail(`never ${target}`);
  }

  const first = (reply: Reply, list: string) => (reply[list] as Readonly<Record<string, unknown>>[])[0];

  const group = {
    sent: ({ name: Name, records }: Group, ids: readonly string[]) => ({
      Name,
      Type: 'GENERAL',
      Records: records.map(({ record, weight = 0 }, i) => ({
        Record: record,
        Type: 'IP_DOMAIN',
        RecordId: ids[i] ?? '',
        Weight: weight,
        Private: false,
        PrivateParameters: [],
      })),
    }),
    async read(id: string) {
      const Filters = [{ Name: 'origin-group-id', Values: [id] }];
      return first(await call('DescribeOriginGroup', { Filters, Offset: 0, Limit: 20 }), 'OriginGroups');
    },
    async state(id: string): Promise<Group | undefined> {
      const read = await group.read(id);
      const records = (read?.['Records'] ?? []) as { Record: string; Weight: number | null }[];
      return (
        read && {
          name: String(read['Name']),
          // An attribute that is 0 and one that is not there are the same to Terraform.
          records: records.map(({ Record, Weight }) => ({ record: Record, ...(Weight && { weight: Weight }) })),
        }
      );
    },
    create: async (wish: Group) =>
      String((await call('CreateOriginGroup', { ZoneId, ...group.sent(wish, []) }))['OriginGroupId']),
    async update(id: string, wish: Group): Promise<void> {
      const read = (await group.read(id)) ?? assert.fail('the provider would forget the group');
      const ids = (read['Records'] as { RecordId: string }[]).map(({ RecordId }) => RecordId);
      await call('ModifyOriginGroup', { ZoneId, GroupId: id, ...group.sent(wish, ids) });
    },
    destroy: (id: string) => call('DeleteOriginGroup', { ZoneId, GroupId: id }),
  };

  const balancer = {
    sent: ({ name: Name, origin_groups: groups, health_checker: HealthChecker, failover_policy }: Balancer) => ({
      Name,
      OriginGroups: groups.map((one) => ({ Priority: one.priority, OriginGroupId: one.origin_group_id })),
      ...(HealthChecker && { HealthChecker }),
      ...(failover_policy && { FailoverPolicy: failover_policy }),
    }),
    async read(id: string) {
      const Filters = [{ Name: 'InstanceId', Values: [id] }];
      const request = { ZoneId, Offset: 0, Limit: 20, Filters };
      return first(await call('DescribeLoadBalancerList', request), 'LoadBalancerList');
    },
    async state(id: string): Promise<Balancer | undefined> {
      const read = await balancer.read(id);
      const groups = (read?.['OriginGroupHealthStatus'] ?? []) as { Priority: string; OriginGroupID: string }[];
      const checker = read?.['HealthChecker'] as Balancer['health_checker'];
      return (
        read && {
          name: String(read['Name']),
          origin_groups: groups.map((one) => ({ priority: one.Priority, origin_group_id: one.OriginGroupID })),
          ...(checker && { health_checker: checker }),
          ...(typeof read['FailoverPolicy'] === 'string' && { failover_policy: read['FailoverPolicy'] }),
        }
      );
    },
    running: (id: string) => wait(async () => (await balancer.read(id))?.['Status'], 'Running', 'Pending'),
    async create(wish: Balancer): Promise<string> {
      const made = await call('CreateLoadBalancer', { ZoneId, Type: 'GENERAL', ...balancer.sent(wish) });
      const id = String(made['InstanceId']);
      await balancer.running(id);
      return id;
    },
    async update(id: string, wish: Balancer): Promise<void> {
      await call('ModifyLoadBalancer', { ZoneId, InstanceId: id, ...balancer.sent(wish) });
      await balancer.running(id);
    },
    destroy: (id: string) => call('DeleteLoadBalancer', { ZoneId, InstanceId: id }),
  };

  const proxy = {
    async read(id: string) {
      const Filters = [{ Name: 'proxy-id', Values: [id] }];
      return first(await call('DescribeL4Proxy', { ZoneId, Filters }), 'L4Proxies');
    },
    becomes: (id: string, word: string) => wait(async () => (await proxy.read(id))?.['Status'], word),
    async create(): Promise<string> {
      const made = await call('CreateL4Proxy', { ZoneId, ProxyName: 'terraform', Area: 'overseas' });
      await proxy.becomes(String(made['ProxyId']), 'online');
      return String(made['ProxyId']);
    },
    async destroy(id: string): Promise<void> {
      if ((await proxy.read(id))?.['Status'] === 'online') {
        await call('ModifyL4ProxyStatus', { ZoneId, ProxyId: id, Status: 'offline' });
        await proxy.becomes(id, 'offline');
      }
      await call('DeleteL4Proxy', { ZoneId, ProxyId: id });
    },
  };

  const rule = (ProxyId: string) => {
    const sent = ({ origin_value, port }: Rule) => ({
      Protocol: 'TCP',
      PortRange: [port],
      OriginType: origin_value.startsWith('lb-') ? 'LB' : 'ORIGIN_GROUP',
      OriginValue: [origin_value],
      OriginPortRange: '8080',
      SessionPersistTime: 0,
    });
    const self = {
      async read(id: string) {
        const Filters = [{ Name: 'rule-id', Values: [id] }];
        const request = { ZoneId, ProxyId, Filters, Offset: 0, Limit: 20 };
        return first(await call('DescribeL4ProxyRules', request), 'L4ProxyRules');
      },
      async state(id: string): Promise<Rule | undefined> {
        const read = await self.read(id);
        if (!read) return undefined;
        const one = (field: string) => (read[field] as string[])[0] ?? '';
        return { origin_value: one('OriginValue'), port: one('PortRange') };
      },
      becomes: (id: string, word: string) => wait(async () => (await self.read(id))?.['Status'], word),
      create: (wish: Rule) => self.createSent(sent(wish)),
      async createSent(fields: object): Promise<string> {
        const made = await call('CreateL4ProxyRules', { ZoneId, ProxyId, L4ProxyRules: [fields] });
        const [id = ''] = made['L4ProxyRuleIds'] as string[];
        await self.becomes(id, 'online');
        return id;
      },
      async update(id: string, wish: Rule): Promise<void> {
        await call('ModifyL4ProxyRules', { ZoneId, ProxyId, L4ProxyRules: [{ RuleId: id, ...sent(wish) }] });
        await self.becomes(id, 'online');
      },
      async destroy(id: string): Promise<void> {
        if ((await self.read(id))?.['Status'] === 'online') {
          await call('ModifyL4ProxyRulesStatus', { ZoneId, ProxyId, RuleIds: [id], Status: 'offline' });
          await self.becomes(id, 'offline');
        }
        await call('DeleteL4ProxyRules', { ZoneId, ProxyId, RuleIds: [id] });
      },
    };
    return self;
  };
  return { desk, group, balancer, proxy, rule, [Symbol.asyncDispose]: () => desk[Symbol.asyncDispose]() };
}
