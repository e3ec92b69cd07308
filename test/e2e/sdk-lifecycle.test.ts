/**
 * The main job, by each official client: create the seed page's instance, add rules of every protocol and mode, send
 * real bytes, read them and their headers at the origin, change, disable, delete.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { parsePpv1, parsePpv2, parseSpp } from '../suites/pass-through-parse.ts';
import { type Official, officialClients } from '../conformance/official.ts';
import { eventually, PATIENCE_MS } from '../suites/engine/fixture.ts';
import { type World, world } from '../world/world.ts';

let w: World;
before(async () => (w = await world()));
after(async () => w[Symbol.asyncDispose]());

interface Rules {
  readonly L4ProxyRules: readonly { readonly RuleId: string; readonly Status: string }[];
}
interface Proxies {
  readonly TotalCount: number;
  readonly L4Proxies: readonly { readonly Status: string; readonly Ips: readonly string[]; readonly Cname: string }[];
}

const TCP_MODES = ['OFF', 'PPV1', 'PPV2'] as const;
const UDP_MODES = ['OFF', 'PPV2', 'SPP'] as const;
const HEADER = { PPV1: parsePpv1, PPV2: parsePpv2, SPP: parseSpp } as const;

for (const [index, who] of ['Node SDK', 'Node SDK, international', 'capi'].entries()) {
  describe(who, () => {
    let client: Official;
    let ProxyId = '';
    let entry = '';
    const rules = [
      ...TCP_MODES.map((mode, i) => ({ Protocol: 'TCP', mode, port: 8000 + i })),
      ...UDP_MODES.map((mode, i) => ({ Protocol: 'UDP', mode, port: 8000 + i })),
    ] as const;
    before(() => (client = officialClients(w.api, w)[index]!));

    const proxies = () =>
      client.call<Proxies>('DescribeL4Proxy', {
        ZoneId: w.zoneId,
        Filters: [{ Name: 'proxy-id', Values: [ProxyId] }],
      });
    const described = () =>
      client.call<Rules>('DescribeL4ProxyRules', { ZoneId: w.zoneId, ProxyId, Offset: 0, Limit: 20 });
    const all = async (status: string) => {
      let ids: string[] = [];
      await eventually(async () => {
        const { L4ProxyRules } = await described();
        assert.deepEqual([...new Set(L4ProxyRules.map((rule) => rule.Status))], [status]);
        ids = L4ProxyRules.map((rule) => rule.RuleId);
      });
      return ids;
    };

    test('creates an instance, visible at once', async () => {
      const wish = { ZoneId: w.zoneId, ProxyName: `proxy-name-${index}`, Area: 'overseas', StaticIp: 'on' };
      ({ ProxyId } = await client.call<{ ProxyId: string }>('CreateL4Proxy', wish));
      assert.match(ProxyId, /^sid-[0-9a-z]{12}$/);
      assert.equal((await proxies()).TotalCount, 1);
      await eventually(async () => assert.equal((await proxies()).L4Proxies[0]?.Status, 'online'));
      const [shown] = (await proxies()).L4Proxies;
      entry = shown?.Ips[0] ?? '';
      assert.equal(shown?.Cname, `proxy-name-${index}.${w.zoneId.slice('zone-'.length)}.edgefour.test`);
    });

    test('adds a rule of every protocol and mode; they come online', async () => {
      const [origin] = w.origins;
      const L4ProxyRules = rules.map(({ Protocol, mode, port }) => ({
        Protocol,
        PortRange: [`${port}`],
        OriginType: 'IP_DOMAIN',
        OriginValue: [origin!.address],
        OriginPortRange: `${Protocol === 'TCP' ? origin!.tcpPort : origin!.udpPort}`,
        ClientIPPassThroughMode: mode,
      }));
      const made = await client.call<{ L4ProxyRuleIds: string[] }>('CreateL4ProxyRules', {
        ZoneId: w.zoneId,
        ProxyId,
        L4ProxyRules,
      });
      assert.equal(made.L4ProxyRuleIds.length, rules.length);
      assert.deepEqual(await all('online'), made.L4ProxyRuleIds);
    });

    for (const mode of TCP_MODES) {
      test(`forwards TCP ${mode}, byte for byte`, async () => {
        const port = rules.find((rule) => rule.Protocol === 'TCP' && rule.mode === mode)!.port;
        const socket = connect({ host: entry, port, localAddress: '127.0.0.1' });
        await once(socket, 'connect');
        const from = socket.localPort;
        const payload = randomBytes(1_000_000);
        let echoed = 0;
        socket.on('data', (part) => (echoed += part.length)).end(payload);
        await once(socket, 'close');
        const received = w.origins[0]!.received.at(-1)!;
        const header = mode === 'OFF' ? 0 : headerOf(mode, received.head, from!, entry, port);
        assert.equal(echoed, payload.length + header);
        const sent = createHash('sha256').update(received.head.subarray(0, header)).update(payload);
        assert.equal(received.hash, sent.digest('hex'));
      });
    }

    for (const mode of UDP_MODES) {
      test(`forwards UDP ${mode}`, async () => {
        const port = rules.find((rule) => rule.Protocol === 'UDP' && rule.mode === mode)!.port;
        const socket = createSocket('udp4');
        await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
        const first = await exchange(socket, Buffer.from('first'), port, entry);
        const second = await exchange(socket, Buffer.from('second'), port, entry);
        const [one, two] = w.origins[0]!.datagrams.slice(-2) as [Buffer, Buffer];
        const from = socket.address().port;
        socket.close();
        const header = mode === 'OFF' ? 0 : headerOf(mode, one, from, entry, port);
        const again = mode === 'SPP' ? headerOf(mode, two, from, entry, port) : 0;
        assert.deepEqual([one.subarray(header).toString(), two.subarray(again).toString()], ['first', 'second']);
        // The echo carries what the origin got; SPP alone is taken off again.
        assert.equal(first.length, mode === 'SPP' ? 'first'.length : one.length);
        assert.equal(second.toString(), 'second');
      });
    }

    test('changes one rule, and only that one is deployed again', async () => {
      const [RuleId, ...others] = await all('online');
      await client.call('ModifyL4ProxyRules', {
        ZoneId: w.zoneId,
        ProxyId,
        L4ProxyRules: [{ RuleId, RuleTag: 'mine' }],
      });
      const { L4ProxyRules } = await described();
      for (const rule of L4ProxyRules) if (others.includes(rule.RuleId)) assert.equal(rule.Status, 'online');
      await all('online');
    });

    test('takes everything down in the order the cloud asks for', async () => {
      const RuleIds = await all('online');
      const at = { ZoneId: w.zoneId, ProxyId };
      await assert.rejects(client.call('DeleteL4ProxyRules', { ...at, RuleIds }), { code: 'UnsupportedOperation' });
      await client.call('ModifyL4ProxyRulesStatus', { ...at, RuleIds, Status: 'offline' });
      await all('offline');
      const refused = connect({ host: entry, port: 8000 });
      const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNREFUSED');
      await client.call('DeleteL4ProxyRules', { ...at, RuleIds });
      await assert.rejects(client.call('DeleteL4Proxy', at), { code: 'FailedOperation' });
      await client.call('ModifyL4ProxyStatus', { ...at, Status: 'offline' });
      await eventually(async () => assert.equal((await proxies()).L4Proxies[0]?.Status, 'offline'));
      await client.call('DeleteL4Proxy', at);
      assert.equal((await proxies()).TotalCount, 0);
    });
  });
}

/** Checks the header and gives its length. */
function headerOf(mode: keyof typeof HEADER, bytes: Uint8Array, from: number, entry: string, port: number): number {
  const parsed = HEADER[mode](bytes);
  assert.ok(parsed.kind === 'proxied', `${mode}: ${JSON.stringify(parsed)}`);
  assert.deepEqual(parsed.client, { address: '127.0.0.1', port: from });
  assert.deepEqual(parsed.entry, { address: entry, port });
  return parsed.length;
}

async function exchange(
  socket: ReturnType<typeof createSocket>,
  payload: Buffer,
  port: number,
  host: string,
): Promise<Buffer> {
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
  socket.send(payload, port, host);
  const [message, from] = (await answer) as [Buffer, { address: string; port: number }];
  assert.deepEqual([from.address, from.port], [host, port]);
  return message;
}
