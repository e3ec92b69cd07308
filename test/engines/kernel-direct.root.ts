/**
 * What the kernel engine writes as bytes is what nft makes of the same as text: every kind of rule there is, written both
 * ways into a table of its own, is listed alike; and taken out again as bytes, it leaves nothing.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { messagesOf } from '../../src/engines/kernel/table/encode.ts';
import { contentsOf } from '../../src/engines/kernel/table/contents.ts';
import { settingsName, settingsOf } from '../../src/engines/kernel/table/settings.ts';
import { addSettings } from '../../src/engines/kernel/table/settings-chains.ts';
import { LAYOUT, TABLE, NO_CONTENTS } from '../../src/engines/kernel/table/sets.ts';
import { baseText } from '../../src/engines/kernel/table/base.ts';
import { RULES } from '../../src/engines/kernel/testdata/rules.ts';
import { Netlink } from '../../src/linux/netlink/socket.ts';
import { NFNL_SUBSYS_NFTABLES } from '../../src/linux/nft/nf-tables.ts';
import { runNft } from '../../src/linux/nft/nft.ts';
import { difference, textOf } from '../../src/linux/nft/transaction.ts';
import { enter, makeNamespaces, type Namespaces, whyNoNamespaces } from './kernel-namespaces.ts';

const missing = whyNoNamespaces();
if (missing === undefined) describe('kernel engine', () => bothWays());
else describe('kernel engine', () => test('is not available here', { skip: missing }, () => {}));

/** Without the numbers that the kernel gives. */
const listed = (world: Namespaces): string =>
  world.inEdge('nft', 'list', 'table', ...TABLE.split(' ')).replaceAll(/__(map|set)\d+/g, '__$1');

function bothWays(): void {
  test('bytes and text make the same table', async () => {
    using world = makeNamespaces();
    enter(world.edge);
    const netlink = new Netlink();
    for (const [name, listener] of Object.entries(RULES)) {
      const settings = settingsOf(listener);
      const slots = new Map(listener.targets.map(({ address }, slot) => [address, slot + 1]));
      const pieces = contentsOf(listener, { indices: [40_000], slots, settings: settingsName(settings) });
      const base = `${baseText({ isGuarded: false, stamp: [], owner: 'test' })}${addSettings(settings).join('\n')}\n`;
      const changes = difference(NO_CONTENTS, pieces);
      const messages = messagesOf(changes);
      assert.ok(messages, name);

      assert.equal(await runNft(base), '');
      const empty = listed(world);
      assert.equal(await runNft(textOf(LAYOUT, changes)), '', name);
      const asText = listed(world);
      assert.equal(await runNft(`delete table ${TABLE}\n${base}`), '');
      assert.equal(netlink.transact(NFNL_SUBSYS_NFTABLES, messages), 0, name);
      assert.equal(listed(world), asText, name);

      assert.equal(netlink.transact(NFNL_SUBSYS_NFTABLES, messagesOf(difference(pieces, NO_CONTENTS)) ?? []), 0, name);
      assert.equal(listed(world), empty, name);
      assert.equal(await runNft(`delete table ${TABLE}\n`), '');
    }
    netlink.close();
  });
}
