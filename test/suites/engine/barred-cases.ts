/** Targets that are not dialled: what a client sees, what is told of it, and that the others serve. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { Bar, Target } from '../../../src/engines/engine.ts';
import type { PortSpan } from '../../../src/lib/net/ports.ts';
import { engineWorld, eventually, type EngineUnderTest } from './fixture.ts';
import { entryOf, leadsTo, options, target } from './listener.ts';
import { ask, dialTcp, readAll, tcpClient, tcpOrigin } from './tcp-peers.ts';
import { udpPeer } from './udp-peers.ts';

/** As origins/bars.ts makes them. */
function barred(address: string, cause: Bar['cause'], ports?: PortSpan[]): Target {
  return { ...target(address, ports ? 10 : 0), barred: { cause, ...(ports && { ports }) } };
}

const drainsAtOnce = { options: options({ drain: { how: 'reset', seconds: 0 } }) };

export function barredCases(under: EngineUnderTest): void {
  describe('targets that are not dialled', { concurrency: 4 }, () => {
    const world = engineWorld(under);
    const relays = (): boolean => world.engine.capabilities().translates !== true;

    test('a connection ends as what bars its only target, and the origin hears nothing', async (t) => {
      const origin = await tcpOrigin(t);
      for (const cause of ['loop', 'denied'] as const) {
        const rule = await world.rule({ ...leadsTo(origin), targets: [barred(origin.address, cause)] });
        await world.up(rule);
        assert.equal((await readAll(dialTcp(t, ...entryOf(rule)))).end, 'reset');
        if (!relays()) continue;
        const [record] = await world.ended(rule.id);
        assert.deepEqual([record?.end, record?.origin], [cause, undefined]);
        assert.deepEqual((await world.counters(rule.id)).ends, { [cause]: 1 });
      }
      assert.equal(origin.connections.length, 0);
    });

    test('where only some are barred the others serve, and one that is free again takes its turn', async (t) => {
      const [bad, good] = [await tcpOrigin(t, (socket) => void socket.end('bad')), world.address()];
      const { port } = bad;
      await tcpOrigin(t, (socket) => void socket.end('good'), { address: good, port });
      const rule = await world.rule({ ...leadsTo(bad), targets: [barred(bad.address, 'loop'), target(good)] });
      const answers = async (): Promise<string[]> => {
        const all = [];
        for (let i = 0; i < 4; i++) {
          const client = dialTcp(t, ...entryOf(rule));
          all.push((await readAll(client)).bytes.toString());
          client.end();
        }
        return all.toSorted();
      };
      await world.up(rule);
      assert.deepEqual(await answers(), ['good', 'good', 'good', 'good']);
      await world.up({ ...rule, targets: [target(bad.address), target(good)] });
      assert.deepEqual(await answers(), ['bad', 'bad', 'good', 'good']);
    });

    test('one that is barred is never used for others that are down; those of the next tier, or all that are down, are', async (t) => {
      const tells =
        (who: string): ((socket: Socket) => void) =>
        (socket) =>
          void socket.end(who);
      const bad = await tcpOrigin(t, tells('bad'));
      const { port } = bad;
      const first = await tcpOrigin(t, tells('first'), { port });
      const reserve = await tcpOrigin(t, tells('reserve'), { port });
      const targets = [barred(bad.address, 'denied'), target(first.address), target(reserve.address, 10, 1)];
      const rule = await world.up(await world.rule({ ...leadsTo(bad), targets }));
      const answer = async (): Promise<string> => {
        const client = dialTcp(t, ...entryOf(rule));
        const { bytes } = await readAll(client);
        client.end();
        return bytes.toString();
      };
      const down = (...ill: { readonly address: string }[]): Promise<void> =>
        world.engine.states(ill.map(({ address }) => ({ target: target(address).number, state: 'down' })));
      await down(first);
      assert.deepEqual([await answer(), await answer()], ['reserve', 'reserve']);
      await down(reserve);
      assert.deepEqual([await answer(), await answer()], ['first', 'first']);
      assert.equal(bad.connections.length, 0);
    });

    test('a connection to a target that is barred from now on drains; one to a target without weight stays', async (t) => {
      if (!relays()) return t.skip('a table in the kernel knows no more than weights');
      const origin = await tcpOrigin(t);
      const rule = await world.rule(leadsTo(origin));
      await world.up(rule);
      const client = await tcpClient(t, ...entryOf(rule));
      assert.equal(await ask(client, 'hello'), 'hello');
      await world.up({ ...rule, targets: [target(origin.address, 0)] });
      assert.equal(await ask(client, 'still'), 'still');
      const drain = { how: 'reset', seconds: 0 } as const;
      await world.up({
        ...rule,
        targets: [barred(origin.address, 'denied')],
        options: { ...rule.options, drain },
      });
      assert.equal((await world.ended(rule.id))[0]?.end, 'drained');
    });

    test('of a range only the ports that are barred are not dialled', async (t) => {
      if (!relays()) return t.skip('a table in the kernel bars whole targets');
      const origin = await tcpOrigin(t);
      const [first = { from: 0, to: 0 }] = (await world.rule()).ports;
      const ports = [{ from: first.from, to: first.from + 1 }];
      const originPorts = { from: origin.port - 1, to: origin.port };
      const bars = [{ from: origin.port - 1, to: origin.port - 1 }];
      const rule = await world.rule({ ports, originPorts, targets: [barred(origin.address, 'loop', bars)] });
      await world.up(rule);
      const [entry] = entryOf(rule);
      assert.equal((await readAll(dialTcp(t, entry, first.from))).end, 'reset');
      assert.equal((await world.ended(rule.id))[0]?.end, 'loop');
      const client = await tcpClient(t, entry, first.from + 1);
      assert.equal(await ask(client, 'hello'), 'hello');
    });

    test('C6: what is open to an address that its name no longer says goes on, TCP and UDP; nothing new goes there', async (t) => {
      const [old, other] = [await tcpOrigin(t), world.address()];
      const fresh = await tcpOrigin(t, (socket) => void socket.end('new'), { address: other, port: old.port });
      const rule = await world.up(await world.rule({ ...leadsTo(old), ...drainsAtOnce }));
      const client = await tcpClient(t, ...entryOf(rule));
      assert.equal(await ask(client, 'hello'), 'hello');
      const echo = (bytes: Buffer): Buffer => bytes;
      const [oldUdp, udpClient] = [await udpPeer(t, {}, echo), await udpPeer(t)];
      const udpRule = await world.up(await world.rule({ ...leadsTo(oldUdp), ...drainsAtOnce, protocol: 'UDP' }));
      udpClient.send('one', ...entryOf(udpRule));
      assert.equal((await udpClient.datagram(0)).toString(), 'one');
      const moved = (address: string): Target[] => [target(other), { ...target(address, 0), left: true }];
      await world.up({ ...rule, targets: moved(old.address) });
      await world.up({ ...udpRule, targets: moved(oldUdp.address) });
      assert.equal(await ask(client, 'still'), 'still');
      udpClient.send('two', ...entryOf(udpRule));
      assert.equal((await udpClient.datagram(1)).toString(), 'two');
      const second = dialTcp(t, ...entryOf(rule));
      assert.equal((await readAll(second)).bytes.toString(), 'new');
      second.end();
      assert.deepEqual([old.connections.length, fresh.connections.length, oldUdp.got.length], [1, 1, 2]);
    });

    test('a datagram is dropped under the same word, and no session is made', async (t) => {
      const origin = await udpPeer(t);
      for (const cause of ['loop', 'denied'] as const) {
        const change = { protocol: 'UDP', targets: [barred(origin.address, cause)] } as const;
        const rule = await world.up(await world.rule({ ...leadsTo(origin), ...change }));
        const client = await udpPeer(t);
        client.send('one', ...entryOf(rule));
        client.send('two', ...entryOf(rule));
        if (!relays()) continue;
        await eventually(async () => assert.deepEqual((await world.counters(rule.id)).dropped, { [cause]: 2 }));
        assert.equal((await world.counters(rule.id)).connections, 0);
      }
      assert.equal(origin.got.length, 0);
    });
  });
}
