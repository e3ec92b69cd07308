/**
 * The calls of Terraform's resources origin_group, load_balancer, l4_proxy and l4_proxy_rule on them: apply, plan, change, plan,
 * import, destroy; and the example's own resources.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { evaluate, readHcl } from '../world/hcl.ts';
import { type Balancer, type Group, provider, ZoneId } from './terraform-provider.ts';

const WEB: Group = { name: 'web', records: [{ record: '10.0.0.1' }, { record: '10.0.0.2' }] };
const SPARE: Group = {
  name: 'spare',
  records: [
    { record: '10.0.1.1', weight: 75 },
    { record: '10.0.1.2', weight: 25 },
  ],
};
const CHECK = { Type: 'HTTP', Port: 80, Interval: 30, Path: 'www.example.com/live', ExpectedCodes: ['200'] };

for (const check of [CHECK, undefined]) {
  test(`apply, plan, change, plan, import, destroy; ${check ? 'with' : 'without'} a health check`, async () => {
    await using tf = await provider();
    const { group, balancer, proxy } = tf;
    const [web, spare] = await Promise.all([group.create(WEB), group.create(SPARE)]);
    const wish: Balancer = {
      name: 'front',
      origin_groups: [
        { priority: 'priority_2', origin_group_id: spare },
        { priority: 'priority_1', origin_group_id: web },
      ],
      ...(check && { health_checker: check }),
    };
    const [front, proxyId] = await Promise.all([balancer.create(wish), proxy.create()]);
    const rule = tf.rule(proxyId);
    const [onGroup, onBalancer] = await Promise.all([
      rule.create({ origin_value: spare, port: '81' }),
      rule.create({ origin_value: front, port: '80' }),
    ]);

    // An empty plan.
    assert.deepEqual([await group.state(web), await group.state(spare)], [WEB, SPARE]);
    assert.deepEqual(await balancer.state(front), wish);
    assert.deepEqual(await rule.state(onGroup), { origin_value: spare, port: '81' });
    assert.deepEqual(await rule.state(onBalancer), { origin_value: front, port: '80' });

    // A change of everything in one apply, what others depend on first.
    const nextWeb: Group = { name: 'web', records: [{ record: '10.0.0.1' }, { record: '10.0.0.3' }] };
    const nextSpare: Group = { name: 'reserve', records: [{ record: '10.0.1.2', weight: 100 }] };
    await Promise.all([group.update(web, nextWeb), group.update(spare, nextSpare)]);
    const nextFront: Balancer = { ...wish, failover_policy: 'OtherOriginGroup' };
    await balancer.update(front, nextFront);
    await rule.update(onGroup, { origin_value: web, port: '81' });
    assert.deepEqual([await group.state(web), await group.state(spare)], [nextWeb, nextSpare]);
    assert.deepEqual(await balancer.state(front), nextFront);
    assert.deepEqual(await rule.state(onGroup), { origin_value: web, port: '81' });

    // An import reads by id alone; what was imported is destroyed, users first.
    for (const id of [onGroup, onBalancer]) {
      assert.ok(await rule.state(id));
      await rule.destroy(id);
    }
    await Promise.all([proxy.destroy(proxyId), balancer.destroy(front)]);
    await Promise.all([group.destroy(web), group.destroy(spare)]);
    assert.deepEqual([await group.state(web), await balancer.state(front)], [undefined, undefined]);
    const left = await tf.desk.store.read((view) => view.list('').map(({ key }) => key.split('/')[0]));
    assert.deepEqual(new Set(left), new Set(['key', 'plan', 'site', 'zone']));
  });
}

const MAIN = new URL('../../examples/terraform/main.tf', import.meta.url);

test("the example's own resources: apply, an empty plan, destroy", async () => {
  const named = readHcl(readFileSync(MAIN, 'utf8'));
  const ids = new Map<string, unknown>();
  const variables = new Map<string, unknown>([['var.zone_id', ZoneId]]);
  for (const { kind, name, attributes } of named) {
    const given = attributes.get('default');
    if (kind !== 'variable' || given === undefined) continue;
    const [, address, port] = /^\{ address = "(.+)", port = (\d+) \}$/.exec(given) ?? [];
    if (address === undefined) variables.set(`var.${name}`, JSON.parse(given));
    else variables.set(`var.${name}.address`, address).set(`var.${name}.port`, Number(port));
  }
  const known = (name: string): unknown =>
    ids.get(name) ?? variables.get(name) ?? assert.fail(`main.tf uses ${name} before it is there`);
  const read = (attributes: ReadonlyMap<string, string>, ...except: string[]) =>
    Object.fromEntries(
      [...attributes].flatMap(([name, value]) => (except.includes(name) ? [] : [[name, evaluate(value, known)]])),
    );
  const inside = ({ blocks }: (typeof named)[number], wanted: string, ...except: string[]) =>
    blocks.filter(({ name }) => name === wanted).map(({ block }) => read(block.attributes, ...except));

  await using tf = await provider();
  const undo: (() => Promise<unknown>)[] = [];
  const order = ['teo_l4_proxy', 'teo_origin_group', 'teo_load_balancer', 'teo_l4_proxy_rule'];
  for (const type of order)
    for (const resource of named.filter(({ name }) => name.startsWith(`tencentcloud_${type}.`))) {
      const { zone_id, name } = read(resource.attributes);
      assert.equal(zone_id, ZoneId);
      const made = await make(type, resource, name as string);
      ids.set(`${resource.name}.id`, `${ZoneId}#${made.id}`).set(`${resource.name}.proxy_id`, made.id);
      undo.unshift(made.destroy);
    }
  assert.equal(undo.length, named.filter(({ kind }) => kind === 'resource').length, 'all of them are made');
  for (const destroy of undo) await destroy();

  async function make(type: string, resource: (typeof named)[number], name: string) {
    if (type === 'teo_l4_proxy') {
      const id = await tf.proxy.create();
      return { id, destroy: () => tf.proxy.destroy(id) };
    }
    if (type === 'teo_origin_group') {
      const wish = { name, records: inside(resource, 'records', 'type') as unknown as Group['records'] };
      const id = await tf.group.create(wish);
      assert.deepEqual(await tf.group.state(id), wish);
      return { id, destroy: () => tf.group.destroy(id) };
    }
    if (type === 'teo_load_balancer') {
      const [checker = {}] = inside(resource, 'health_checker');
      const wish: Balancer = {
        name,
        origin_groups: inside(resource, 'origin_groups') as unknown as Balancer['origin_groups'],
        health_checker: Object.fromEntries(Object.entries(checker).map(([field, value]) => [wireName(field), value])),
        failover_policy: read(resource.attributes)['failover_policy'] as string,
      };
      const id = await tf.balancer.create(wish);
      assert.deepEqual(await tf.balancer.state(id), wish);
      return { id, destroy: () => tf.balancer.destroy(id) };
    }
    const [wanted = {}] = inside(resource, 'l4_proxy_rules');
    const rule = tf.rule(read(resource.attributes)['proxy_id'] as string);
    const sent = Object.fromEntries(Object.entries(wanted).map(([field, value]) => [wireName(field), value]));
    const id = await rule.createSent({ ...sent, SessionPersistTime: 0 });
    const state = (await rule.read(id)) ?? assert.fail('the provider would forget the rule');
    for (const [field, value] of Object.entries(sent)) assert.deepEqual(state[field], value, field);
    return { id, destroy: () => rule.destroy(id) };
  }
});

/** `client_ip_pass_through_mode` → `ClientIPPassThroughMode`. */
function wireName(attribute: string): string {
  return attribute.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase()).replace('Ip', 'IP');
}
