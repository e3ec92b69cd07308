/** Waiting for what a client waits for: that an instance and its rules are online. */
import assert from 'node:assert/strict';
import type { Client } from '../../src/cli/client/api-client.ts';
import { eventually, PATIENCE_MS } from '../suites/engine/fixture.ts';

interface Shown {
  readonly Instances: readonly {
    readonly Status: string;
    readonly Entries: readonly { readonly Addresses: readonly string[] }[];
    readonly Rules: readonly {
      readonly RuleId: string;
      readonly Status: string;
      readonly Failures: readonly string[];
    }[];
  }[];
}

/** Resolves with the instance's first entry address. */
export async function online(client: Client, ZoneId: string, ProxyId: string, withinMs = PATIENCE_MS): Promise<string> {
  let address = '';
  await eventually(async () => {
    const { Instances } = await client.call<Shown>('EdgeFourDescribeStatus', { ZoneId, ProxyId });
    const [instance] = Instances;
    assert.equal(instance?.Status, 'online');
    for (const rule of instance?.Rules ?? [])
      assert.equal(rule.Status, 'online', `${rule.RuleId}: ${rule.Failures.join()}`);
    address = instance?.Entries[0]?.Addresses[0] ?? '';
  }, withinMs);
  return address;
}
