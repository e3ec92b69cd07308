/** Whether answers carry defaults that nobody sent, by what the caller says it is, over the wire. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawRequest } from '../../src/api/call.ts';
import { ACTIONS } from '../../src/api/actions/index.ts';
import { openHostileDesk } from './hostile.ts';
import { ROOT, T0 } from './desk.ts';
import { tc3, v1 } from './sign.ts';
import { ZONE } from '../world/actions.ts';

const OPTIONAL = ['ClientIPPassThroughMode', 'SessionPersist', 'RuleTag'];

test('typed clients get defaults, Terraform what it sent, so that its second plan is empty', async () => {
  await using desk = await openHostileDesk();
  const { L4Proxies } = await desk.call('DescribeL4Proxy', { ZoneId: ZONE });
  const ProxyId = (L4Proxies as { ProxyId: string }[])[0]?.ProxyId ?? '';
  const [example] = ACTIONS.CreateL4ProxyRules.example.request.L4ProxyRules;
  const { ClientIPPassThroughMode: _, RuleTag: __, ...minimal } = example ?? assert.fail();
  // As the provider sends a rule that says no more than it must.
  const rule = { ...minimal, SessionPersistTime: 0 };
  const made = await desk.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [rule] });
  assert.equal(made.Error, undefined);
  const shown = async (raw: RawRequest): Promise<Record<string, unknown>> => {
    const { Response } = JSON.parse((await desk.send(raw)).body) as { Response: { L4ProxyRules: object[] } };
    return { ...Response.L4ProxyRules[0] };
  };
  const who = { 'x-tc-requestclient': 'Terraform-latest' };
  const ask = { ZoneId: ZONE, ProxyId };
  for (const raw of [
    tc3(ROOT, 'DescribeL4ProxyRules', ask, { timestamp: T0, headers: who }),
    v1(ROOT, 'DescribeL4ProxyRules', ask, { timestamp: T0, headers: who }),
    v1(ROOT, 'DescribeL4ProxyRules', { ...ask, RequestClient: 'Terraform-1.83' }, { timestamp: T0 }),
  ]) {
    const given = await shown(raw);
    for (const field of ['RuleId', 'Status', 'BuId', 'RemoteAuth']) delete given[field];
    assert.deepEqual(given, rule);
  }
  const typed = await shown(tc3(ROOT, 'DescribeL4ProxyRules', ask, { timestamp: T0 }));
  assert.deepEqual(
    OPTIONAL.map((field) => typed[field]),
    ['OFF', 'off', ''],
  );
});
