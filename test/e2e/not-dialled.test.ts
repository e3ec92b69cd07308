/** What is not dialled, seen from outside: a name that leads where policy says no, and a rule that leads to itself. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually, freePort } from '../suites/engine/fixture.ts';
import { edgefour } from '../world/command.ts';
import { treeWorld, world } from '../world/world.ts';
import { exchange } from './clients.ts';

/** Connects, and resolves when it has been reset or closed without a byte. */
async function refused(address: string, port: number): Promise<void> {
  const socket = connect(port, address);
  let bytes = 0;
  socket.on('error', () => {}).on('data', ({ length }: Buffer) => (bytes += length));
  // not: `once`, which rejects at the reset.
  await new Promise((resolve) => socket.on('close', resolve));
  assert.equal(bytes, 0);
}

test('A4, A5: the edge of `up` knows the policy, and its own listeners; status and metrics say what happened', async () => {
  await using w = await treeWorld({ settings: ['--origins-deny', 'private'] });
  const { proxyId, address } = await w.proxy('watched', []);
  const port = await freePort(address);
  const { ruleIds, ports } = await w.rules(proxyId, [{ OriginValue: ['localhost'] }]);
  await refused(address, ports[0] ?? 0);
  const fields = { Protocol: 'TCP', OriginType: 'IP_DOMAIN', PortRange: [`${port}`], OriginPortRange: `${port}` };
  for (const spelt of [address, '0x7f000001', '::ffff:127.0.0.1', '64:ff9b::7f00:1'])
    await assert.rejects(
      w.client.call('CreateL4ProxyRules', {
        ZoneId: w.zoneId,
        ProxyId: proxyId,
        L4ProxyRules: [{ ...fields, OriginValue: [spelt] }],
      }),
      { code: 'InvalidParameter.InvalidOriginIp' },
      spelt,
    );
  await eventually(async () => {
    const { stdout } = await edgefour(['status', proxyId, '--data', w.folder]);
    assert.match(stdout, /online .*; denied: (127\.0\.0\.1|::1) is not dialled/);
    const metrics = await (await fetch(`${w.api}/metrics`)).text();
    assert.match(
      metrics,
      new RegExp(`cause="denied"[^\\n]*"${ruleIds[0]}"[^\\n]*\\} 1|"${ruleIds[0]}"[^\\n]*cause="denied"[^\\n]*\\} 1`),
    );
  });
});

test('A4: a rule that leads to its own entry is online, refuses, and says so; its neighbour serves', async () => {
  await using w = await world();
  const { proxyId, address, ports } = await w.proxy('round', [{}]);
  const port = await freePort(address);
  const loop = { PortRange: [`${port}`], OriginValue: [address], OriginPortRange: `${port}` };
  const { ruleIds } = await w.rules(proxyId, [loop]);
  await refused(address, port);
  await eventually(async () => {
    const { stdout } = await edgefour(['status', proxyId, '--data', w.folder]);
    assert.match(
      stdout,
      new RegExp(`${ruleIds[0]} +TCP +${port} +online .*; loop: TCP ${address}:${port} is a listener of this edge`),
    );
  });
  assert.equal((await exchange(address, ports[0] ?? 0, Buffer.from('hello'))).toString(), 'hello');
});
