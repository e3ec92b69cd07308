/** `edgefour doctor` beside a running EdgeFour: it knows the rules and tells its own sockets from a squatter's. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';
import { test } from 'node:test';
import type { Finding } from '../../src/observe/finding.ts';
import { eventually, freePort } from '../suites/engine/fixture.ts';
import { edgefour } from '../world/command.ts';
import { treeWorld } from '../world/world.ts';

const skip = process.platform === 'linux' ? false : 'who has a socket is found with /proc';

test('a squatter on the port of a rule is named; what the edge itself has is no matter', { skip }, async (t) => {
  await using w = await treeWorld();
  const { proxyId, address } = await w.proxy('seen', [{}, { Protocol: 'UDP' }]);
  const findings = async (): Promise<Finding[]> => {
    const { stdout } = await edgefour(['doctor', ...w.args, '--json']);
    const found = JSON.parse(stdout) as Finding[];
    return found.filter(({ about }) => about === 'ports of rules');
  };
  // What the edge serves is on its disk a moment later.
  await eventually(
    async () =>
      assert.deepEqual(
        (await findings()).map(({ state }) => state),
        ['ok'],
      ),
    30_000,
  );

  const port = await freePort(address);
  const squatter = createServer().listen(port, address);
  await once(squatter, 'listening');
  t.after(() => squatter.close());
  const [origin] = w.origins;
  const rule = {
    Protocol: 'TCP',
    PortRange: [`${port}`],
    OriginType: 'IP_DOMAIN',
    OriginValue: [origin?.address],
    OriginPortRange: `${origin?.tcpPort}`,
  };
  const { L4ProxyRuleIds } = await w.client.call<{ L4ProxyRuleIds: string[] }>('CreateL4ProxyRules', {
    ZoneId: w.zoneId,
    ProxyId: proxyId,
    L4ProxyRules: [rule],
  });
  await eventually(async () => {
    const [found, ...others] = await findings();
    assert.deepEqual(others, []);
    assert.equal(found?.state, 'bad');
    const where = `TCP ${address} port ${port} of ${L4ProxyRuleIds[0]} is taken by `;
    assert.ok(found?.text.startsWith(where), found?.text);
    assert.ok(found?.text.endsWith(`(pid ${process.pid})`), found?.text);
  });
});
