/** A group of twenty origins that is changed under load, on the kernel engine: an edge in a namespace, its records from here. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { takeStage } from '../engines/kernel-stage.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { changesUnderLoad } from '../suites/group-change.ts';
import { newGroup } from '../world/groups.ts';
import { controlEnd } from './control-end.ts';
import { PLACE, proxy, rule } from './edges.ts';
import { spawnEdge } from './spawned-edge.ts';

const missing = whyNoNamespaces();
if (missing === undefined) describe('a group of origins on the kernel engine', () => changed(takeStage()));
else describe('a group of origins', () => test('is not available here', { skip: missing }, () => {}));

const PORT = 700;
const ID = 'og-twenty';

function changed(world: Namespaces): void {
  test('changed under load: traffic follows, and no connection is lost', async (t) => {
    await using control = await controlEnd();
    const edge = spawnEdge(world, control, 'kernel');
    const gone = new Promise((resolve) => edge.once('exit', resolve));
    t.after(() => (edge.kill('SIGTERM'), gone));
    const entry = world.entry();
    const group = (addresses: readonly string[]) => ({ ...newGroup(ID, addresses), zone: 'zone-a' });
    const key = `origin-group/zone-a/${ID}`;
    let revision = 0;
    const settled = () => eventually(() => assert.equal(control.acks.applied('overseas'), revision));
    await changesUnderLoad(t, {
      address: () => world.address(),
      async begin(addresses, port) {
        const rules = [rule('twenty', PORT, '', port, { originType: 'ORIGIN_GROUP', originValue: [ID] })];
        const records = { [key]: group(addresses), 'proxy/zone-a/a': proxy('a', entry, rules) };
        revision = await control.put({ ...PLACE, ...records });
        await settled();
        return [entry, PORT];
      },
      async change(addresses) {
        revision = await control.put({ [key]: group(addresses) });
      },
      settled,
    });
  });
}
