/** A rule the system refuses: it fails with the system's reason, everywhere one looks, and touches no other rule. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { eventually, freePort } from '../suites/engine/fixture.ts';
import { edgefour } from '../world/command.ts';
import { world } from '../world/world.ts';
import { dial, exchange, say } from './clients.ts';

test('a port that is taken makes the rule fail with the reason; the other rules go on', async (t) => {
  await using w = await world();
  const [origin] = w.origins;
  assert.ok(origin);
  const { proxyId, address, ports } = await w.proxy('half', [{}]);
  const flow = await dial(address, ports[0] ?? 0);
  t.after(() => flow.destroy());

  const port = await freePort(address);
  await squat(t, port, address);
  const rule = {
    Protocol: 'TCP',
    PortRange: [`${port}`],
    OriginType: 'IP_DOMAIN',
    OriginValue: [origin.address],
    OriginPortRange: `${origin.tcpPort}`,
  };
  const fields = { ZoneId: w.zoneId, ProxyId: proxyId, L4ProxyRules: [rule] };
  const { L4ProxyRuleIds } = await w.client.call<{ L4ProxyRuleIds: string[] }>('CreateL4ProxyRules', fields);
  const [failed = ''] = L4ProxyRuleIds;

  await eventually(async () => {
    const shown = await edgefour(['status', proxyId, '--data', w.folder]);
    assert.match(shown.stdout, new RegExp(`${failed} +TCP +${port} +fail .*is in use by another program`));
    assert.equal(shown.code, 1);
  });
  const metrics = await (await fetch(`${w.api}/metrics`)).text();
  assert.match(
    metrics,
    new RegExp(`edgefour_rule_failed\\{edge="local",id="${failed}",reason="[^"]*is in use by another program`),
  );

  assert.equal(await say(flow, 'still here'), 'still here');
  assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('new'))).toString(), 'new');
});

test('an origin that does not resolve is the origin’s state: the rule is online, who connects is refused, one sees why', async () => {
  await using w = await world();
  const { proxyId, ruleIds, address, ports } = await w.proxy('lost', [{ OriginValue: ['nowhere.invalid'] }]);
  const [rule = ''] = ruleIds;
  const shown = await edgefour(['status', proxyId, '--data', w.folder]);
  assert.match(shown.stdout, new RegExp(`${rule} .* online .*origin name does not resolve: nowhere\\.invalid`));
  assert.equal(shown.code, 0);
  await assert.rejects(exchange(address, ports[0] ?? 0, Buffer.from('x')), { code: 'ECONNRESET' });
  await eventually(async () => {
    const metrics = await (await fetch(`${w.api}/metrics`)).text();
    assert.match(metrics, new RegExp(`edgefour_rule_unresolved_names\\{edge="local",rule="${rule}"\\} 1\n`));
    assert.match(
      metrics,
      new RegExp(`edgefour_rule_ends_total\\{edge="local",rule="${rule}",cause="no-origin"\\} 1\n`),
    );
  });
});

test('entry addresses this machine does not have are found by doctor before that', async () => {
  const { code, stdout } = await edgefour([
    'doctor',
    '--addresses',
    '192.0.2.0/24',
    '--listen',
    '127.0.0.1:0',
    '--json',
  ]);
  assert.equal(code, 1);
  const findings = JSON.parse(stdout) as { about: string; state: string }[];
  assert.equal(findings.find(({ about }) => about === 'entry 192.0.2.0/24')?.state, 'bad');
});

/** Another program, not this process, which is the edge's own, listens there until the test is over. */
async function squat(t: TestContext, port: number, address: string): Promise<void> {
  const program = `require('node:net').createServer().listen(${port}, '${address}', () => console.log('up'))`;
  const squatter = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => squatter.kill('SIGKILL'));
  await once(squatter.stdout, 'data');
}
